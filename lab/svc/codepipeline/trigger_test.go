package codepipeline_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// triggered is a trigger on the bench's source action with filters of pushes and of pull requests.
func triggered(push, pull []any) any {
	g := in{"sourceActionName": "Git"}
	if push != nil {
		g["push"] = push
	}
	if pull != nil {
		g["pullRequest"] = pull
	}
	return []any{in{"providerType": "CodeStarSourceConnection", "gitConfiguration": g}}
}

func includes(patterns ...any) in { return in{"includes": patterns} }

// TestWhatFiltersLetThrough plays what happens at the provider on pipelines with each kind of filter.
func TestWhatFiltersLetThrough(t *testing.T) {
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprintf("other/%d", i)
	}
	events := map[string]func(*bench) error{
		"main": func(b *bench) error { _, err := b.Git.Push("GitHub", "acme/web", "main", "x"); return err },
		"src": func(b *bench) error {
			_, err := b.Git.Push("GitHub", "acme/web", "main", "x", "src/a/b.go")
			return err
		},
		"src late": func(b *bench) error {
			_, err := b.Git.Push("GitHub", "acme/web", "main", "x", append(many, "src/a.go")...)
			return err
		},
		"new branch": func(b *bench) error { _, err := b.Git.Push("GitHub", "acme/web", "fresh", "x", "src/a.go"); return err },
		"tag":        func(b *bench) error { return b.Git.Tag("GitHub", "acme/web", "main", "v1.2") },
		"opened": func(b *bench) error {
			return b.Git.Propose("GitHub", "acme/web", "feature", "main", "OPEN", "src/a.go")
		},
		"closed": func(b *bench) error { return b.Git.Propose("GitHub", "acme/web", "feature", "main", "CLOSED") },
	}
	for name, c := range map[string]struct {
		triggers any
		starts   string // the events that start a run, with commas
	}{
		"none":                          {nil, "main,src,src late"},
		"no filter":                     {triggered(nil, nil), "main,src,src late"},
		"any branch":                    {triggered([]any{in{"branches": includes("**")}}, nil), "main,src,src late,new branch"},
		"one character, set, choice":    {triggered([]any{in{"branches": includes("m?in", "[fg]resh", "{a,b}x")}}, nil), "main,src,src late,new branch"},
		"an exclude counts more":        {triggered([]any{in{"branches": in{"includes": []any{"main"}, "excludes": []any{"m*"}}}}, nil), ""},
		"files":                         {triggered([]any{in{"branches": includes("**"), "filePaths": includes("src/**")}}, nil), "src"},
		"files not across directories":  {triggered([]any{in{"filePaths": includes("src/*")}}, nil), ""},
		"all but some files":            {triggered([]any{in{"filePaths": in{"excludes": []any{"src/**"}}}}, nil), "main,src late"},
		"tags":                          {triggered([]any{in{"tags": includes("v*")}}, nil), "tag"},
		"tags or branches":              {triggered([]any{in{"tags": includes("v*")}, in{"branches": includes("main")}}, nil), "main,src,src late,tag"},
		"pull requests":                 {triggered(nil, []any{in{"branches": includes("main")}}), "opened,closed"},
		"opened pull requests":          {triggered(nil, []any{in{"events": []any{"OPEN"}, "filePaths": includes("src/**")}}), "opened"},
		"pull requests to other branch": {triggered(nil, []any{in{"branches": includes("release")}}), ""},
	} {
		for event, happen := range events {
			b := working(t)
			_, err := b.Git.Push("GitHub", "acme/web", "feature", "x")
			b.must(err)
			edit := func(in) {}
			if c.triggers != nil {
				edit = with("triggers", c.triggers)
			}
			b.create("web", edit)
			b.pass(time.Hour)
			b.must(happen(b))
			b.pass(time.Hour)
			if got, want := len(b.runs("web")) == 2, strings.Contains(","+c.starts+",", ","+event+","); got != want {
				t.Errorf("%s: %s starts a run: %v, want %v", name, event, got, want)
			}
		}
	}
}

// TestRefusedFilters: combinations that the API model lets through and AWS does not document are refused, and so is what the model forbids.
func TestRefusedFilters(t *testing.T) {
	b := working(t)
	b.create("web")
	long := strings.Repeat("x", 256)
	two := append(triggered(nil, nil).([]any), triggered(nil, nil).([]any)...)
	for _, c := range []struct {
		triggers any
		code     string
		text     string
	}{
		{triggered([]any{in{"tags": includes("v*"), "branches": includes("main")}}, nil), "InvalidStructureException", "tags"},
		{two, "InvalidStructureException", "Only one trigger"},
		{triggered([]any{in{"branches": includes()}}, nil), "ValidationException", "greater than or equal to 1"},
		{triggered([]any{in{"branches": includes("1", "2", "3", "4", "5", "6", "7", "8", "9")}}, nil), "ValidationException", "less than or equal to 8"},
		{triggered([]any{in{"filePaths": includes(long)}}, nil), "ValidationException", "less than or equal to 255"},
		{triggered(nil, []any{in{"events": []any{"MERGED"}}}), "ValidationException", "enum value set"},
	} {
		d := b.definition("web")
		d["triggers"] = c.triggers
		b.fails("UpdatePipeline", in{"pipeline": d}, c.code, c.text)
	}
}
