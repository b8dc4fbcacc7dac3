package codepipeline_test

import (
	"testing"
	"time"
)

func (b *bench) push(branch string) string {
	b.Helper()
	c, err := b.Git.Push("GitHub", "acme/web", branch, "change")
	b.must(err)
	b.pass(time.Hour)
	return c.ID
}

func TestPushStartsAPipeline(t *testing.T) {
	b := working(t)
	b.create("web")
	b.pass(time.Hour)
	commit := b.push("main")
	runs := b.runs("web")
	if len(runs) != 2 || runs[0]["trigger"].(in)["triggerType"] != "WebhookV2" || list(runs[0]["sourceRevisions"])[0]["revisionId"] != commit {
		t.Errorf("after a push of %s: %v", commit, runs)
	}
	b.push("feature")
	if n := len(b.runs("web")); n != 2 {
		t.Errorf("%d executions after a push to another branch", n)
	}
	b.ok("DeletePipeline", in{"name": "web"})
	b.push("main")
	b.create("web")
	if n := len(b.runs("web")); n != 1 {
		t.Errorf("%d executions of a pipeline made anew", n)
	}
}

// A pipeline created on a PENDING connection gets no webhook, and completing the connection does not bring one.
func TestPipelineBornOnAPendingConnectionHearsNoPush(t *testing.T) {
	b := newBench(t)
	b.create("web")
	b.pass(time.Hour)
	b.complete()
	b.push("main")
	if n := len(b.runs("web")); n != 1 {
		t.Errorf("%d executions after the connection was completed", n)
	}
	b.ok("UpdatePipeline", in{"pipeline": b.definition("web")})
	b.push("main")
	if n := len(b.runs("web")); n != 2 {
		t.Errorf("%d executions after the pipeline was updated", n)
	}
}

func TestWhatAPushTriggers(t *testing.T) {
	git := func(push ...any) any {
		g := in{"sourceActionName": "Git"}
		if len(push) > 0 {
			g["push"] = push
		}
		return []any{in{"providerType": "CodeStarSourceConnection", "gitConfiguration": g}}
	}
	branches := func(includes, excludes []any) in {
		f := in{}
		if includes != nil {
			f["includes"] = includes
		}
		if excludes != nil {
			f["excludes"] = excludes
		}
		return in{"branches": f}
	}
	off := func(b *bench) func(in) {
		src := b.source()
		src["configuration"].(in)["DetectChanges"] = "false"
		return setStages(stage("Source", src), stage("Approve", action("Ask", "Approval", "Manual", nil)))
	}
	for name, c := range map[string]struct {
		edit          func(*bench) func(in)
		main, feature bool
	}{
		"change detection off":     {off, false, false},
		"a filter on branches":     {func(*bench) func(in) { return with("triggers", git(branches([]any{"feat*"}, nil))) }, false, true},
		"a filter that leaves out": {func(*bench) func(in) { return with("triggers", git(branches([]any{"*"}, []any{"feature"}))) }, true, false},
		"a wildcard in front":      {func(*bench) func(in) { return with("triggers", git(branches([]any{"*ture"}, nil))) }, false, true},
		"tags only":                {func(*bench) func(in) { return with("triggers", git(in{"tags": in{"includes": []any{"v*"}}})) }, false, false},
		"pull requests only": {func(*bench) func(in) {
			return with("triggers", []any{in{"providerType": "CodeStarSourceConnection", "gitConfiguration": in{"sourceActionName": "Git", "pullRequest": []any{in{"events": []any{"OPEN"}}}}}})
		}, false, false},
	} {
		b := working(t)
		b.create("web", c.edit(b))
		b.pass(time.Hour)
		for branch, want := range map[string]bool{"main": c.main, "feature": c.feature} {
			before := len(b.runs("web"))
			commit := b.push(branch)
			runs := b.runs("web")
			if got := len(runs) > before; got != want {
				t.Errorf("%s: push to %s starts: %v, want %v", name, branch, got, want)
			} else if want && list(runs[0]["sourceRevisions"])[0]["revisionId"] != commit {
				t.Errorf("%s: push of %s to %s ran with %v", name, commit, branch, runs[0]["sourceRevisions"])
			}
		}
	}
}

// A push reaches AWS only through a living installation of the connection's own provider.
func TestPushThatNobodyHears(t *testing.T) {
	b := working(t)
	b.create("web")
	b.pass(time.Hour)
	_, err := b.Git.AddOrg("Bitbucket", "acme", "octo")
	b.must(err)
	_, err = b.Git.AddRepo("Bitbucket", "acme/web", "main")
	b.must(err)
	_, err = b.Git.Push("Bitbucket", "acme/web", "main", "of another provider")
	b.must(err)
	b.must(b.Git.Uninstall("GitHub", "acme"))
	b.push("main")
	if n := len(b.runs("web")); n != 1 {
		t.Errorf("%d executions after pushes that nobody hears", n)
	}
}
