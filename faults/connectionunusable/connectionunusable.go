// Package connectionunusable finds pipelines whose connection is AVAILABLE and yet shows them no branch: the app was uninstalled, the
// repository is not granted, or the name is wrong. It never sees the provider: what works on the same connection narrows the causes.
package connectionunusable

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

// The causes.
const (
	malformedName  = "repository-name-malformed"
	wrongCase      = "repository-case"
	branchGone     = "branch-not-found"
	repositoryGone = "repository-not-visible"
	installGone    = "installation-gone"
	unknownCause   = "unknown"
)

// maxNeighbours is how many other pipelines of the Region are read to compare: a dozen calls, all at once.
const maxNeighbours = 12

// Fault is the fault connection-unusable.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "connection-unusable",
		Doc: fault.Doc{
			Title:   "Connection is AVAILABLE and shows no such branch",
			Symptom: `The Source stage fails with "No Branch [...] found for FullRepositoryName [...]" although the connection is AVAILABLE.`,
			Text: "AVAILABLE says that the handshake was completed once, not that the app is still installed at the provider or sees the repository. " +
				"AWS gives one text for all of it: no such branch, no such repository, a name in the wrong case, a repository that is not granted, an app that is gone.",
			Causes: []fault.CauseDoc{
				{Code: malformedName, Text: "FullRepositoryId is not OWNER/NAME.", Evidence: "The definition itself.", Remedy: "Correct FullRepositoryId in the source action."},
				{Code: wrongCase, Text: "The repository's name is written in another case elsewhere, and works there.", Evidence: "Another source on the same connection succeeded with it.", Remedy: "Write it as the provider does."},
				{Code: branchGone, Text: "The repository is visible, this branch is not: renamed or deleted.", Evidence: "Another source on the same connection and repository succeeded with another branch.", Remedy: "Point the source action at a branch that exists."},
				{Code: repositoryGone, Text: "Other repositories are visible, this one is not: renamed, deleted, or not granted to the app.", Evidence: "Other sources on the same connection succeeded with other repositories.", Remedy: "Grant the repository to the app at the provider, or correct its name."},
				{Code: installGone, Text: "No repository is visible any more: the app was uninstalled or suspended.", Evidence: "Every source on the connection fails like this, with different repositories.", Remedy: "Install the app again. A connection of the old installation does not come back: create a new one and point the pipelines at it."},
				{Code: unknownCause, Text: "Nothing else uses the connection, so the causes cannot be told apart.", Evidence: "AWS's text alone.", Remedy: "Look at the provider: branch, repository, installed apps, in this order."},
			},
			See:      []string{"aws codepipeline get-pipeline-state --name PIPELINE", "aws codeconnections get-connection --connection-arn ARN"},
			Remedy:   "Check the branch, then the repository's name and case, then that the app is installed and sees the repository.",
			Severity: fault.High, Bucket: fault.Provider, Since: "0.2.0",
			Links: []string{"https://docs.aws.amazon.com/dtconsole/latest/userguide/troubleshooting-connections.html"},
		},
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState, fact.KindAction, fact.KindConnection, fact.KindRegion},
		Explains: []fault.Code{"source-stale"},
		Diagnose: diagnose,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		if len(sources(p)) == 0 {
			continue
		}
		fails, state := fault.Fails(s, p)
		j.Need(state)
		for _, c := range fails {
			if !c.Action.Uses(c.Action.Connection) || fault.Read(c.State.Error) != fault.SignatureNoBranch {
				continue
			}
			con, known, absent, settles := fault.Connection(s, c.Action.Connection)
			j.Need(settles)
			if absent || !known || con.Status != fact.StatusAvailable {
				continue
			}
			j.Need(fault.ConnectionQuery(s.Question().Account, con.ARN)) // what decides is read twice, from the owning Region
			others, asks := neighbours(s, c)
			j.Help(asks...)
			j.Help(fault.AllRunsQuery(p.Ref().Scope, p.Name))
			f := judge(s, c, con, others)
			if f.Cause.Code == installGone { // one finding about the connection, however many pipelines fail on it
				users, more := fault.Users(s, con.ARN)
				j.Help(more...)
				f = whole(f, con, users, s.Question())
			}
			if !slices.ContainsFunc(j.Findings, func(x fault.Finding) bool { return x.Subject == f.Subject }) {
				j.Findings = append(j.Findings, f)
			}
		}
	}
	return j
}

func sources(p fact.Pipeline) []fact.Action {
	var all []fact.Action
	for _, a := range p.Sources {
		all = append(all, a)
	}
	return all
}

// neighbour is another source on the same connection.
type neighbour struct {
	name, repository, branch string
	works                    bool // its latest run succeeded after this one began to fail: an older success says nothing
	blind                    bool // its latest run failed with the same text
	seen                     fact.PipelineState
}

// neighbours are the other sources on the connection with what their latest runs came to, and the queries that finding them takes.
func neighbours(s *fact.Snapshot, c fault.Current) ([]neighbour, []fact.Query) {
	scope := c.Pipeline.Ref().Scope
	asks := []fact.Query{fault.ListQuery(scope)}
	for i, name := range fault.Listed(s, scope) {
		if i < maxNeighbours {
			asks = append(asks, fault.PipelineQuery(scope, name))
		}
	}
	broke, _ := c.BrokeAt(s)
	var all []neighbour
	for i, p := range fault.Known(s, c.Action.Connection) {
		if i < maxNeighbours {
			asks = append(asks, fault.StateQuery(p.Ref().Scope, p.Name))
		}
		for _, src := range fault.Sources(s, p, c.Action.Connection) {
			if p.ARN == c.Pipeline.ARN && src.Action.Name == c.Action.Name {
				continue
			}
			n := neighbour{name: p.Name, repository: src.Action.Repository, branch: src.Action.Branch, seen: src.Seen}
			n.works = src.Known && src.State.Status == "Succeeded" && !src.State.Changed.Before(broke)
			n.blind = src.Failed() && fault.Read(src.State.Error) == fault.SignatureNoBranch
			all = append(all, n)
		}
	}
	return all, asks
}

func judge(s *fact.Snapshot, c fault.Current, con fact.Connection, others []neighbour) fault.Finding {
	p := c.Pipeline
	f := fault.Finding{
		Title: "Connection is AVAILABLE and shows no such branch", Severity: fault.High, Bucket: fault.Provider,
		Subject: fault.PipelineSubject(p), About: p.Ref(), Since: fault.Stamp(c.State.Changed),
		Affects:  []fault.Subject{fault.ConnectionSubject(con.ARN, con.Name)},
		Evidence: []fault.Evidence{c.Evidence(), fault.Ev(fault.Verified, con, "ConnectionStatus", con.Status, fact.StatusAvailable)},
		Link:     fault.PipelineLink(s.Question(), p),
		Message: fmt.Sprintf("%s cannot see branch %s of %s through connection %q, which is AVAILABLE.",
			p.Name, c.Action.Branch, c.Action.Repository, con.Name),
	}
	f.Details.More = map[string]string{"connection": con.ARN, "repository": c.Action.Repository, "branch": c.Action.Branch}
	var proof []fault.Evidence
	f.Cause, proof = cause(c, others)
	f.Evidence = append(f.Evidence, proof...)
	f.Remedy = remedy(f.Cause.Code)
	if f.Cause.Code == malformedName || f.Cause.Code == wrongCase {
		f.Bucket = fault.Configuration
	}
	return f
}

// whole is the finding as one about the connection: nothing that uses it can fetch any more.
func whole(f fault.Finding, con fact.Connection, users []fact.Pipeline, q fact.Question) fault.Finding {
	f.Subject, f.About, f.Link = fault.ConnectionSubject(con.ARN, con.Name), con.Ref(), fault.ConnectionLink(q, con.ARN)
	f.Affects = nil
	for _, p := range users {
		f.Affects = append(f.Affects, fault.PipelineSubject(p))
	}
	f.Message = fmt.Sprintf("Connection %q is AVAILABLE and shows no repository any more: %s cannot fetch.", con.Name, fault.Plural(len(users), "pipeline"))
	return f
}

// wellFormed is OWNER/NAME; GitLab has groups in groups.
var wellFormed = regexp.MustCompile(`^[^/\s]+(/[^/\s]+)+$`)

// cause narrows down by what works beside it. AWS's text is the same for all, so nothing but a malformed name is certain.
func cause(c fault.Current, others []neighbour) (fault.Cause, []fault.Evidence) {
	repo, branch := c.Action.Repository, c.Action.Branch
	if !wellFormed.MatchString(repo) {
		return fault.Cause{Code: malformedName, Class: fault.Verified, Text: fmt.Sprintf("FullRepositoryId is %q: it must be OWNER/NAME.", repo)},
			[]fault.Evidence{fault.Ev(fault.Verified, c.Pipeline, "FullRepositoryId", repo, "OWNER/NAME")}
	}
	works := func(match func(neighbour) bool) *neighbour {
		for i, n := range others {
			if n.works && match(n) {
				return &others[i]
			}
		}
		return nil
	}
	show := func(n *neighbour) []fault.Evidence {
		return []fault.Evidence{fault.Ev(fault.Reported, n.seen, n.name+" reads "+n.repository+" "+n.branch, "Succeeded", "")}
	}
	inferred := func(code, text string) fault.Cause { return fault.Cause{Code: code, Class: fault.Inferred, Text: text} }
	if n := works(func(n neighbour) bool { return n.repository != repo && strings.EqualFold(n.repository, repo) }); n != nil {
		return inferred(wrongCase, fmt.Sprintf("%s reads %s, written so, on the same connection: likely the case of %s is wrong.", n.name, n.repository, repo)), show(n)
	}
	if n := works(func(n neighbour) bool { return n.repository == repo && n.branch != branch }); n != nil {
		return inferred(branchGone, fmt.Sprintf("The repository is visible: %s reads its branch %s. Likely branch %s was renamed or deleted.", n.name, n.branch, branch)), show(n)
	}
	if n := works(func(n neighbour) bool { return n.repository != repo }); n != nil {
		return inferred(repositoryGone, fmt.Sprintf("The connection works: %s reads %s. Likely %s was renamed or deleted, or is not granted to the app.", n.name, n.repository, repo)), show(n)
	}
	if n := blindElsewhere(others, repo); n != nil && works(func(neighbour) bool { return true }) == nil {
		e := fault.Ev(fault.Reported, n.seen, n.name+" reads "+n.repository+" "+n.branch, "Failed", "")
		return inferred(installGone, fmt.Sprintf("No repository is visible through the connection: %s fails in the same way with %s. Likely the app was uninstalled or suspended.", n.name, n.repository)), []fault.Evidence{e}
	}
	return fault.Cause{Code: unknownCause, Class: fault.Unclear,
		Text: "Nothing else that was read uses this connection, so AWS's text stands alone: the branch or the repository does not exist under this name, is not granted to the app, or the app is gone."}, nil
}

func blindElsewhere(others []neighbour, repo string) *neighbour {
	for i, n := range others {
		if n.blind && n.repository != repo {
			return &others[i]
		}
	}
	return nil
}

func remedy(cause string) string {
	for _, c := range Fault().Doc.Causes {
		if c.Code == cause {
			return c.Remedy
		}
	}
	return ""
}
