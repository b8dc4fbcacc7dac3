package codepipeline

import (
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/provider"
)

// maxFiles is how many changed files of an event a filter on file paths looks at.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html
const maxFiles = 100

// Hear starts the pipelines that react to an event at a provider.
func (s *Service) Hear(e provider.Event) {
	for _, p := range s.sorted() {
		if !p.alive() {
			continue
		}
		for _, a := range p.sources() {
			conf := a.configuration()
			if conf["FullRepositoryId"] != e.Repo || !p.hooks[a.name()] || !p.listens(a, e) {
				continue
			}
			arn := conf["ConnectionArn"]
			astray := s.apps != nil && s.apps.Reinstalled(arn, e.Type, e.Repo)
			if !astray && !s.conns.Hears(arn, e.Type, e.Repo) {
				continue
			}
			_, vars := variables(p.current(), nil)
			what := pin{branch: e.Branch}
			if e.Tag != "" {
				what.commit = e.Commit.ID
			}
			from := inputs{pins: map[string]pin{a.name(): what}, variables: vars}
			s.pushed(p, trigger{"WebhookV2", e.Commit.ID}, from)
			if astray {
				p.relay(trigger{"WebhookV2", e.Commit.ID}, from, arn, e.Type, e.Repo, s.c.Now().Add(relayFor))
			}
			break
		}
	}
}

// listens reports whether an event starts the pipeline through a source action. Declared triggers take the place of
// change detection (API_PipelineDeclaration, member triggers); one without a filter hears pushes to the action's own branch.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-triggers.html
func (p *pipeline) listens(a declared, e provider.Event) bool {
	own := e.Tag == "" && e.Pull == "" && a.configuration()["BranchName"] == e.Branch
	triggers, _ := p.current()["triggers"].([]any)
	if len(triggers) == 0 {
		return own && !strings.EqualFold(a.configuration()["DetectChanges"], "false")
	}
	for _, t := range triggers {
		git, _ := t.(map[string]any)["gitConfiguration"].(map[string]any)
		if git["sourceActionName"] != a.name() {
			continue
		}
		pushes, _ := git["push"].([]any)
		pulls, _ := git["pullRequest"].([]any)
		if len(pushes)+len(pulls) == 0 {
			return own
		}
		return slices.ContainsFunc(pushes, func(f any) bool { return hearsPush(f, e) }) || slices.ContainsFunc(pulls, func(f any) bool { return hearsPull(f, e) })
	}
	return false
}

// hearsPush reports whether a filter of pushes lets an event through: by its tag, or by its branch and files.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-filter.html
func hearsPush(filter any, e provider.Event) bool {
	f, _ := filter.(map[string]any)
	switch {
	case e.Pull != "":
		return false
	case f["tags"] != nil || e.Tag != "":
		return f["tags"] != nil && e.Tag != "" && passes(f["tags"], e.Tag)
	case f["filePaths"] != nil && e.New:
		return false // a branch that is new has nothing to compare its files with
	}
	return passes(f["branches"], e.Branch) && touches(f["filePaths"], e.Files)
}

// hearsPull reports whether a filter of pull requests lets an event through: by what happened, the branch it goes into, and its files.
func hearsPull(filter any, e provider.Event) bool {
	f, _ := filter.(map[string]any)
	events, _ := f["events"].([]any)
	return e.Pull != "" && (len(events) == 0 || slices.Contains(events, any(e.Pull))) && passes(f["branches"], e.Into) && touches(f["filePaths"], e.Files)
}

// passes reports whether a name is included and not excluded: what is excluded stays out whatever includes it, and what lists excludes
// alone lets everything else through.
func passes(criteria any, name string) bool {
	c, _ := criteria.(map[string]any)
	return !matches(c["excludes"], name) && (c["includes"] == nil || matches(c["includes"], name))
}

// touches reports whether one of the files that are looked at passes.
func touches(criteria any, files []string) bool {
	return criteria == nil || slices.ContainsFunc(files[:min(len(files), maxFiles)], func(f string) bool { return passes(criteria, f) })
}

func matches(patterns any, name string) bool {
	list, _ := patterns.([]any)
	return slices.ContainsFunc(list, func(x any) bool { pat, _ := x.(string); return glob(pat, name) })
}

// glob matches a name with a pattern: * stands for any text without a slash, ** for any text, ? for one character, [ab] for one of some,
// {a,b} for one of several patterns, and a backslash takes the next character for itself.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/syntax-glob.html
func glob(pat, name string) bool {
	if pat == "" {
		return name == ""
	}
	switch pat[0] {
	case '*':
		rest, deep := strings.CutPrefix(pat[1:], "*")
		for i := 0; ; i++ {
			if glob(rest, name[i:]) {
				return true
			}
			if i == len(name) || (!deep && name[i] == '/') {
				return false
			}
		}
	case '{':
		if in, rest, ok := strings.Cut(pat[1:], "}"); ok {
			return slices.ContainsFunc(strings.Split(in, ","), func(one string) bool { return glob(one+rest, name) })
		}
	case '[':
		if in, rest, ok := strings.Cut(pat[1:], "]"); ok {
			return name != "" && strings.IndexByte(in, name[0]) >= 0 && glob(rest, name[1:])
		}
	case '?':
		return name != "" && name[0] != '/' && glob(pat[1:], name[1:])
	case '\\':
		if len(pat) > 1 {
			return name != "" && name[0] == pat[1] && glob(pat[2:], name[1:])
		}
	}
	return name != "" && name[0] == pat[0] && glob(pat[1:], name[1:])
}

// A push whose source cannot be fetched since the app was installed anew starts the pipeline again and again: one public report
// tells of a new failed run about every nine minutes. How long that goes on is not known; the lab gives it two hours.
const (
	relayEvery = 9 * time.Minute
	relayFor   = 2 * time.Hour
)

// relay starts a run again later, for as long as the app that the connection is bound to is gone.
func (p *pipeline) relay(t trigger, from inputs, connection, providerType, repo string, until time.Time) {
	c := p.s.c
	if c.Now().Add(relayEvery).After(until) {
		return
	}
	version := p.number()
	c.After(relayEvery, func() {
		if !p.alive() || p.number() != version || !p.s.apps.Reinstalled(connection, providerType, repo) {
			return
		}
		p.s.pushed(p, t, from)
		p.relay(t, from, connection, providerType, repo, until)
	})
}

// pushed starts a run for a push. Beyond the limit of active runs it fails at once, without a word.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
func (s *Service) pushed(p *pipeline, t trigger, from inputs) {
	if p.room() == nil {
		s.start(p, t, from)
		return
	}
	s.enroll(p, t, from).end("Failed", "")
	p.publish()
}
