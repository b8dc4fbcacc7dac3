package world

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// act is one line that begins with a time: somebody does something.
type act struct {
	*line
	at     time.Time
	actor  string
	verb   string
	expect string // denied or an error code: AWS must refuse with it
}

// verbs are what actors can do.
func (d *loader) verbs() map[string]func(*act) error {
	return map[string]func(*act) error{
		"creates": d.creates, "deletes": d.deletes, "recreates": d.recreates, "updates": d.updates,
		"begins": d.handshakes, "completes": d.handshakes, "attempts": d.handshakes, "sets": d.sets,
		"shares": d.shares, "breaks": d.breaks, "heals": d.breaks, "tags": d.tags, "untags": d.tags,
		"starts": d.starts, "retries": d.retries, "stops": d.stops, "disables": d.transition, "enables": d.transition,
		"pushes": d.pushes, "proposes": d.proposes, "installs": d.apps, "uninstalls": d.apps, "suspends": d.apps, "unsuspends": d.apps,
		"approves": d.apps, "rejects": d.approval, "selects": d.apps, "renames": d.renames,
		"grants": d.grants, "revokes": d.revokesToken, "attaches": d.attaches, "detaches": d.attaches,
		"applies": d.scps, "lifts": d.scps, "calls": d.calls,
		"opens": d.groupActs, "closes": d.groupActs, "denies": d.naclActs, "allows": d.naclActs, "removes": d.naclActs,
		"adds": d.routeActs, "drops": d.routeActs,
		"changes": d.changes, "reports": d.reports, "detects": d.detects,
		"throttles": d.troubles, "exhausts": d.troubles, "disturbs": d.troubles, "hangs": d.hangs, "polls": d.polls,
		"continues": d.continues, "deploys": d.deploys, "puts": d.puts,
		"edits": d.edits, "schedules": d.deletion, "cancels": d.deletion, "forgets": d.forgets,
		"delegates": d.delegates, "enters": d.records, "erases": d.records, "requests": d.requests, "proves": d.proves, "refuses": d.refuses,
		"registers": d.actionTypes,
	}
}

// parseAct: TIME ACTOR VERB ... [expect=denied|CODE]
func (d *loader) parseAct(l *line) (*act, error) {
	t, err := d.offset(l.words[0])
	if err != nil {
		return nil, err
	}
	l.words = l.words[1:]
	a := &act{line: l, at: t}
	if a.actor, err = l.word("who acts"); err != nil {
		return nil, err
	}
	if a.verb, err = l.word("what " + a.actor + " does"); err != nil {
		return nil, err
	}
	if d.verbs()[a.verb] == nil {
		return nil, fmt.Errorf("%q is nothing an actor does; the verbs are %s", a.verb, strings.Join(d.verbList(), ", "))
	}
	a.expect = l.opt("expect", "")
	return a, nil
}

func (d *loader) verbList() []string {
	var all []string
	for v := range d.verbs() {
		all = append(all, v)
	}
	sort.Strings(all)
	return all
}

// play runs the acts: those up to the present at once, on simulated time, those after it when their time comes.
func (d *loader) play() error {
	var last time.Time
	for _, a := range d.acts {
		if a.at.After(d.now) {
			d.later(a)
			continue
		}
		t := a.at
		if earliest := last.Add(d.pause()); t.Before(earliest) { // acts of one time happen in the order of the file
			t = earliest
		}
		if t.After(d.now) {
			t = d.now
		}
		d.c.Replay(t)
		if err := d.perform(a); err != nil {
			return at(a.no, err)
		}
		last = d.c.Now()
	}
	d.c.Replay(d.now)
	return nil
}

func (d *loader) later(a *act) {
	d.c.At(a.at, func() {
		if err := d.perform(a); err != nil {
			d.w.late = append(d.w.late, at(a.no, err))
		}
	})
}

// pause is the least time between two acts: a second, and long enough to see what the one before it wrote.
func (d *loader) pause() time.Duration { return d.c.Lag + time.Second }

// tick lets a pause pass within an act of several calls, while history is replayed.
func (d *loader) tick() {
	if t := d.c.Now().Add(d.pause()); !d.live && !t.After(d.now) {
		d.c.Replay(t)
	}
}

// perform runs an act and compares AWS's answer with what the line expects.
func (d *loader) perform(a *act) error {
	err := d.verbs()[a.verb](a)
	if err == nil {
		err = a.done()
	}
	var refused *cloud.Error
	isRefusal := errors.As(err, &refused)
	if a.expect == "" || err != nil && !isRefusal {
		return err
	}
	want := a.expect
	if want == "denied" {
		want = cloud.AccessDenied
	}
	switch {
	case err == nil:
		return fmt.Errorf("expect=%s, but nothing was refused", a.expect)
	case refused.Code != want && refused.Code != want+"Exception":
		return fmt.Errorf("expect=%s, but the answer was %w", a.expect, err)
	}
	return nil
}

// caller is the act's actor as a caller of AWS.
func (d *loader) caller(a *act) (*cloud.Caller, error) {
	if k := d.c.CallerByName(a.actor); k != nil {
		return k, nil
	}
	if d.w.people[a.actor] {
		return nil, fmt.Errorf("%s has no credentials for AWS: only a caller %s", a.actor, a.verb)
	}
	return nil, fmt.Errorf("there is no caller %q", a.actor)
}

// call makes one AWS call as the act's actor.
func (d *loader) call(a *act, service, op, region string, in map[string]any) (map[string]any, error) {
	k, err := d.caller(a)
	if err != nil {
		return nil, err
	}
	if svc := d.c.Service(service); svc == nil || svc.Ops[op] == nil {
		return nil, fmt.Errorf("the lab serves no %s:%s", service, op)
	}
	if err := d.signIn(k, region); err != nil {
		return nil, err
	}
	return d.serve(k, service, op, region, in)
}

// serve makes a call with a caller's credentials, from where the caller is.
func (d *loader) serve(k *cloud.Caller, service, op, region string, in map[string]any) (map[string]any, error) {
	if acct := d.c.Account(k.Account); acct == nil || !d.c.Service(service).Global && !acct.Enabled(region) {
		return nil, fmt.Errorf("account %s has no Region %s enabled", k.Account, region)
	}
	from := d.origins[k.Name].Origin
	way, lost := d.c.Way(k.Place, k.Account, service, region, "")
	if lost != nil {
		return nil, cloud.Errorf(lost.Kind, "%s", lost.Reason)
	}
	from.Place, from.Endpoint, from.Stack = k.Place, way, d.stackOf(k, service, region)
	from.UserAgent += userAgentSuffix(d.origins[k.Name].tool, service, op)
	return d.c.Serve(&cloud.Request{
		Service: service, Operation: op, Region: region, Caller: k.Principal, KeyID: k.AccessKeyID, Origin: from, In: onWire(in),
	})
}

// userAgentSuffix names the call, as the AWS CLI does.
func userAgentSuffix(tool, service, op string) string {
	if tool != "cli" {
		return ""
	}
	var b strings.Builder
	for i, r := range op {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('-')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return " md/prompt#off md/command#" + service + "." + b.String()
}

// onWire gives a call's input the form it has when decoded from the wire.
func onWire(in map[string]any) map[string]any {
	b, err := json.Marshal(in)
	if err != nil {
		return in
	}
	var out map[string]any
	if json.Unmarshal(b, &out) != nil || out == nil {
		return map[string]any{}
	}
	return out
}

// regionOf is the Region a line names, else the default of the actor's account.
func (d *loader) regionOf(a *act) string {
	account := d.account
	if k := d.c.CallerByName(a.actor); k != nil {
		account = k.Account
	}
	return a.opt("region", d.regions[account])
}

// thing takes the next word as the name of something made before; kind "" takes any kind. The kind itself may stand
// before the name: `deletes connection team-github`.
func (d *loader) thing(a *act, kinds ...string) (*thing, error) {
	a.skip("connection", "host", "pipeline", "handshake", "setup")
	name, err := a.word("the name of a " + strings.Join(kinds, " or "))
	if err != nil {
		return nil, err
	}
	a.subject = name
	t := d.things[name]
	if t == nil {
		return nil, fmt.Errorf("there is no %s called %q by then", strings.Join(kinds, " or "), name)
	}
	for _, k := range kinds {
		if t.kind == k {
			return t, nil
		}
	}
	return nil, fmt.Errorf("%s is a %s, not a %s", name, t.kind, strings.Join(kinds, " or "))
}

// keep remembers what a create call made.
func (d *loader) keep(t *thing) {
	d.things[t.name], d.w.arns[t.name] = t, t.arn
}

// text is a string in a reply, wherever it stands.
func text(out map[string]any, member string) string {
	if s, ok := out[member].(string); ok {
		return s
	}
	return ""
}
