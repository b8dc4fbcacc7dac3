// Package world reads worlds: plain-text files that set a stage (accounts, roles, organisations) and then act on it in
// simulated time, so that every symptom follows from a cause. It never writes a status, an error text or an event itself.
package world

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
)

//go:embed worlds/*.world
var files embed.FS

// World is a loaded world: what its file named, and where it now is in the lab.
type World struct {
	Name          string          // of the file, without .world
	Title         string          // its first comment line
	Default       *cloud.Caller   // the caller marked `you`, else the first; nil when the world has none
	Callers       []*cloud.Caller // in the order of the file
	DefaultRegion string          // of the `you` caller's account: its first Region
	Wants         []Want          // expectations, in the order of the file

	arns   map[string]string
	people map[string]bool
	late   []error
	loader *loader // for acts after loading
}

// ARN is the ARN of the connection, pipeline, host or role the world calls name; "" when there is none. After a
// delete and a create under the same name it is the newer one's.
func (w *World) ARN(name string) string { return w.arns[name] }

// Late returns what went wrong in acts that the world schedules for after its present (`+5m`). Call it inside
// Cloud.Within.
func (w *World) Late() []error { return w.late }

// Worlds lists the names of the worlds that come with the lab.
func Worlds() []string {
	found, err := fs.Glob(files, "worlds/*.world")
	if err != nil {
		return nil // the pattern is constant: this cannot happen
	}
	var names []string
	for _, f := range found {
		names = append(names, strings.TrimSuffix(path.Base(f), ".world"))
	}
	sort.Strings(names)
	return names
}

// Open returns the text of a world that comes with the lab. The error wraps fs.ErrNotExist when there is none.
func Open(name string) ([]byte, error) {
	if strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf("open world %s: %w", name, fs.ErrNotExist)
	}
	text, err := files.ReadFile("worlds/" + name + ".world")
	if err != nil {
		return nil, fmt.Errorf("open world %s: %w", name, err)
	}
	return text, nil
}

// Load builds a world in a fresh lab: the stage first, then every act at its time before now, ending with the lab on
// the wall clock. Every error reads `name:line: what is wrong`; the lab is of no use after one.
func Load(l *lab.Lab, name string, text []byte, now time.Time) (*World, error) {
	d := &loader{
		lab: l, c: l.Cloud, now: now.UTC(),
		w: &World{
			Name: strings.TrimSuffix(path.Base(name), ".world"), arns: map[string]string{}, people: map[string]bool{},
		},
		accounts: map[string]string{}, policies: map[string]string{}, origins: map[string]origin{}, things: map[string]*thing{},
		via: map[string]string{}, sessions: map[string]time.Time{},
		urls: map[string]string{}, roles: map[string]string{}, users: map[string]string{},
	}
	d.w.loader = d
	lines, title, err := scan(text)
	if err == nil {
		d.w.Title = title
		l.Cloud.Within(func() { err = d.load(lines) })
	}
	var le *lineError
	if errors.As(err, &le) {
		return nil, fmt.Errorf("%s:%w", name, err)
	} else if err != nil {
		return nil, fmt.Errorf("%s:1: %w", name, err)
	}
	return d.w, nil
}

// loader builds one world.
type loader struct {
	lab *lab.Lab
	c   *cloud.Cloud
	w   *World
	now time.Time

	account  string               // the default account: the first one
	accounts map[string]string    // alias to ID
	regions  map[string]string    // account ID to its default Region
	policies map[string]string    // managed policies and boundaries: account/name to ARN
	roles    map[string]string    // account/name to ARN
	users    map[string]string    // account/name to ARN
	origins  map[string]origin    // how each caller calls
	via      map[string]string    // caller to the caller who assumes its role
	sessions map[string]time.Time // caller to the begin of its session
	things   map[string]*thing    // connections, hosts, pipelines by name
	urls     map[string]string    // organisation to the URL of its own server
	servers  []server             // that say where they stand
	stacks   []stackPlace         // of stack lines
	acts     []*act
	live     bool // history is over: acts run on the wall clock
}

// thing is a connection, host or pipeline that an act made.
type thing struct {
	kind, name, arn, account, region string
	api                              string         // connections, hosts: signing name they were created with
	made                             map[string]any // the input of the create call, for recreate
}

// stage is what runs before the first act, in this order whatever the order in the file, so that a line may name
// what stands below it.
func (d *loader) stage() []stageWord {
	return []stageWord{
		{"account", d.addAccount}, {"set", d.set}, {"inject", d.inject}, {"vpc", d.addVPC}, {"group", d.addGroup}, {organisation, d.addOrg},
		{"organization", d.addOrganization}, {"support", d.addSupport}, {"quota", d.addQuota}, {"analyzer", d.addAnalyzer},
		{"policy", d.addPolicy}, {"boundary", d.addPolicy}, {"scp", d.addSCP}, {"rcp", d.addRCP}, {"key", d.addKey}, {"bucket", d.addBucket},
		{"role", d.addRole}, {"project", d.addProject}, {"topic", d.addTopic}, {"stack", d.addStack}, {"user", d.addUser}, {"subnet", d.addSubnet}, {"nacl", d.addNACL}, {"endpoint", d.addEndpoint},
		{"caller", d.addCaller}, {"recorder", d.addRecorder}, {"domain", d.addDomain}, {"actiontype", d.addActionType},
	}
}

// organisation stands for the words of all providers; no line can begin with it.
const organisation = "an organisation"

type stageWord struct {
	word string
	do   func(*line) error
}

func (d *loader) load(lines []*line) error {
	by := map[string][]*line{}
	for _, l := range lines {
		first := l.words
		if len(first) == 0 {
			return at(l.no, fmt.Errorf("a line begins with a word or a time, not with an option"))
		}
		if isOffset(first[0]) {
			a, err := d.parseAct(l)
			if err != nil {
				return at(l.no, err)
			}
			d.acts = append(d.acts, a)
			continue
		}
		word := first[0]
		if _, ok := providerWords()[word]; ok {
			word = organisation
		}
		l.first, l.words = first[0], first[1:]
		by[word] = append(by[word], l)
	}
	sort.SliceStable(d.acts, func(i, j int) bool { return d.acts[i].at.Before(d.acts[j].at) })
	d.c.Replay(d.beginning())
	for _, s := range d.stage() {
		for _, l := range by[s.word] {
			if err := d.one(l, s.do); err != nil {
				return err
			}
		}
		delete(by, s.word)
	}
	for _, l := range lines {
		if by[l.first] != nil {
			return at(l.no, fmt.Errorf("%q begins no line; lines begin with %s, or a time such as -2d", l.first, d.firstWords()))
		}
	}
	if d.account == "" {
		return at(1, fmt.Errorf("a world needs at least one account line"))
	}
	if err := d.standby(); err != nil {
		return err
	}
	if err := d.standbyBuilds(); err != nil {
		return err
	}
	if err := d.play(); err != nil {
		return err
	}
	for _, l := range lines {
		d.collectWants(l)
	}
	return d.finish()
}

func (d *loader) firstWords() string {
	var all []string
	for _, s := range d.stage() {
		if s.word != organisation {
			all = append(all, s.word)
		}
	}
	for w := range providerWords() {
		all = append(all, w)
	}
	sort.Strings(all)
	return strings.Join(all, ", ")
}

// one runs a stage line and sees that nothing of it is left over.
func (d *loader) one(l *line, do func(*line) error) error {
	if err := do(l); err != nil {
		return at(l.no, err)
	}
	if err := l.done(); err != nil {
		return at(l.no, err)
	}
	return nil
}

// beginning is a day before the first act: what the stage sets up is older than all that happens.
func (d *loader) beginning() time.Time {
	first := d.now
	if len(d.acts) > 0 && d.acts[0].at.Before(first) {
		first = d.acts[0].at
	}
	return first.Add(-24 * time.Hour)
}

func (d *loader) collectWants(l *line) {
	for _, w := range l.wants {
		if w.Subject == "" {
			w.Subject = l.subject
		}
		d.w.Wants = append(d.w.Wants, w)
	}
}

func (d *loader) finish() error {
	if d.w.Default == nil && len(d.w.Callers) > 0 {
		d.w.Default = d.w.Callers[0]
	}
	account := d.account
	if d.w.Default != nil {
		account = d.w.Default.Account
	}
	d.w.DefaultRegion = d.regions[account]
	d.c.Live()
	d.live = true
	return nil
}
