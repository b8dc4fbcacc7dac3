package codepipeline

import (
	"maps"
	"slices"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// pipeline is one pipeline with all its versions and runs.
type pipeline struct {
	s                     *Service
	account, region, name string
	created               time.Time
	versions              []version // version n is versions[n-1]
	transitions           map[string]transition
	hooks                 map[string]bool // source actions that a push reaches: made when the definition was written
	runs                  []*execution    // oldest first
	open                  []*execution    // those whose replies can still change
	runsOfActions         []*actionRun    // oldest first
	stages                map[string]*stage
	tokens                map[string]string // client request token to execution ID
	tags                  map[string]string
	secrets               map[string]string   // secrets given so far, by stage, action and member
	lost                  map[string]bool     // actions, by stage and name, without the secret they were configured with
	seen                  cloud.Lagged[int]   // newest version as readers see it; gone when deleted
	state                 cloud.Lagged[[]any] // StageState of every stage, as readers see them
}

type version struct {
	decl map[string]any
	at   time.Time
}

// transition is the inbound transition of a stage that was touched.
type transition struct {
	disabled bool
	by       string
	at       time.Time
	reason   string
}

// stage is the run-time state of a stage.
type stage struct {
	latest  *execution   // that entered it last
	waiting []*execution // before it, oldest first
	actions map[string]*actionRun
}

// alive reports whether the pipeline has not been deleted.
func (p *pipeline) alive() bool {
	_, alive := p.seen.Truth()
	return alive
}

func (p *pipeline) arn() string { return ARN(p.account, p.region, p.name) }

func (p *pipeline) current() map[string]any { return p.versions[len(p.versions)-1].decl }

func (p *pipeline) number() int { return len(p.versions) }

func (p *pipeline) mode() string {
	if m, _ := p.current()["executionMode"].(string); m != "" {
		return m
	}
	return "SUPERSEDED"
}

// declared is one action of a declaration.
type declared map[string]any

func (d declared) name() string { s, _ := d["name"].(string); return s }

func (d declared) typeOf(member string) string {
	t, _ := d["actionTypeId"].(map[string]any)
	s, _ := t[member].(string)
	return s
}

func (d declared) configuration() map[string]string {
	out := map[string]string{}
	m, _ := d["configuration"].(map[string]any)
	for k, v := range m {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

func (d declared) order() int {
	if n, ok := number(d["runOrder"]); ok {
		return n
	}
	return 1
}

func (d declared) isConnection() bool {
	return d.typeOf("category") == "Source" && d.typeOf("provider") == "CodeStarSourceConnection"
}

// isOAuth reports whether an action is a source of the old GitHub kind, which holds a person's token.
func (d declared) isOAuth() bool {
	return d.typeOf("category") == "Source" && d.typeOf("owner") == "ThirdParty" && d.typeOf("provider") == "GitHub"
}

func number(v any) (int, bool) {
	switch n := v.(type) {
	case float64:
		return int(n), true
	case int:
		return n, true
	}
	return 0, false
}

// stagesOf lists the stages of a declaration: names and actions in order.
func stagesOf(decl map[string]any) (names []string, actions map[string][]declared) {
	actions = map[string][]declared{}
	list, _ := decl["stages"].([]any)
	for _, x := range list {
		m, _ := x.(map[string]any)
		name, _ := m["name"].(string)
		names = append(names, name)
		as, _ := m["actions"].([]any)
		for _, a := range as {
			d, _ := a.(map[string]any)
			actions[name] = append(actions[name], declared(d))
		}
	}
	return names, actions
}

// sources are the connection source actions of the current definition.
func (p *pipeline) sources() []declared {
	var all []declared
	names, actions := stagesOf(p.current())
	for _, n := range names {
		for _, a := range actions[n] {
			if a.isConnection() {
				all = append(all, a)
			}
		}
	}
	return all
}

// write stores a new version and makes the webhooks anew: a connection that is not AVAILABLE now gets none, and keeps none when it
// becomes AVAILABLE later.
func (p *pipeline) write(decl map[string]any) {
	decl = clone(decl)
	p.mask(decl)
	fill(decl)
	decl["version"] = p.number() + 1
	p.versions = append(p.versions, version{decl, p.s.c.Now()})
	p.hooks = map[string]bool{}
	for _, a := range p.sources() {
		p.hooks[a.name()] = p.s.conns.Hookable(a.configuration()["ConnectionArn"])
	}
	names, _ := stagesOf(decl)
	for _, n := range names {
		if p.stages[n] == nil {
			p.stages[n] = &stage{actions: map[string]*actionRun{}}
		}
	}
	p.stand()
	p.publish() // first: whoever sees the version sees its stages
	p.seen.Set(p.s.c, p.number())
	p.changed()
}

// mask hides the secrets that AWS never shows again. A value of asterisks stands for the secret given before to the same action of
// the same stage; elsewhere it stands for nothing, and the action is left without.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/appendix-github-oauth.html
func (p *pipeline) mask(decl map[string]any) {
	given := map[string]string{}
	p.lost = map[string]bool{}
	names, actions := stagesOf(decl)
	for _, n := range names {
		for _, a := range actions[n] {
			conf, _ := a["configuration"].(map[string]any)
			for _, secret := range []string{"OAuthToken", "ClientSecret", "RefreshToken", "SecretToken"} {
				if conf[secret] == nil {
					continue
				}
				k := n + "|" + a.name() + "|" + secret
				text, _ := conf[secret].(string)
				if before, known := p.secrets[k]; text == masked && known {
					text = before
				}
				if p.lost[n+"|"+a.name()] = p.lost[n+"|"+a.name()] || text == masked; text != masked {
					given[k] = text
				}
				conf[secret] = masked
			}
		}
	}
	p.secrets = given
}

// masked is what a secret reads back as.
const masked = "****"

// fill writes out the defaults that AWS writes out.
func fill(decl map[string]any) {
	def := func(m map[string]any, member string, v any) {
		if m[member] == nil {
			m[member] = v
		}
	}
	def(decl, "pipelineType", "V1")
	def(decl, "executionMode", "SUPERSEDED")
	_, actions := stagesOf(decl)
	for _, as := range actions {
		for _, a := range as {
			def(a, "runOrder", 1)
			def(a, "configuration", map[string]any{})
			def(a, "inputArtifacts", []any{})
			def(a, "outputArtifacts", []any{})
		}
	}
}

func clone(v map[string]any) map[string]any { return cloneAny(v).(map[string]any) }

func cloneAny(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = cloneAny(e)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = cloneAny(e)
		}
		return out
	}
	return v
}

// sorted are the pipelines in a stable order, deleted ones too: readers may still see them.
func (s *Service) sorted() []*pipeline {
	var all []*pipeline
	for _, k := range slices.Sorted(maps.Keys(s.pipelines)) {
		all = append(all, s.pipelines[k])
	}
	return all
}

// find finds a pipeline as the truth has it.
func (s *Service) find(r *cloud.Request, name string) (*pipeline, error) {
	p := s.pipelines[key(r.Account(), r.Region, name)]
	if p == nil {
		return nil, notFound(r, name)
	}
	if _, alive := p.seen.Truth(); !alive {
		return nil, notFound(r, name)
	}
	return p, nil
}

// read finds a pipeline as readers see it, with the version they see.
func (s *Service) read(r *cloud.Request, name string) (*pipeline, int, error) {
	p := s.pipelines[key(r.Account(), r.Region, name)]
	if p == nil {
		return nil, 0, notFound(r, name)
	}
	n, ok := p.seen.Seen(s.c)
	if !ok {
		return nil, 0, notFound(r, name)
	}
	return p, n, nil
}
