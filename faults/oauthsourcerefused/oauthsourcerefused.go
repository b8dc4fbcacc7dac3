// Package oauthsourcerefused finds sources of the old GitHub (version 1) kind whose token GitHub no longer takes. It never reads or shows
// the token.
package oauthsourcerefused

import (
	"fmt"
	"strings"

	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
)

const tokenRefused = "token-refused"

// Fault is the fault oauth-source-refused.
func Fault() *fault.Fault {
	return &fault.Fault{
		Code: "oauth-source-refused",
		Doc: fault.Doc{
			Title:   "GitHub refuses the token of an old source action",
			Symptom: `The Source stage of a pipeline with a "GitHub (Version 1)" action fails with "Could not access the GitHub repository".`,
			Text: "GitHub (version 1) actions hold an OAuth token of one person. It dies with the person's access: revoked, expired, the person left, " +
				"or the organisation restricts OAuth apps. AWS advises to move such actions to a connection.",
			Causes: []fault.CauseDoc{
				{Code: tokenRefused, Text: "GitHub refused the token, or the repository is gone.", Evidence: "AWS's text.", Remedy: "Move the action to a connection, or put a fresh token into it."},
			},
			See:      []string{"aws codepipeline get-pipeline-state --name PIPELINE"},
			Remedy:   "Move the source action to a connection (GitHub via GitHub App), or put a fresh token into it.",
			Severity: fault.High, Bucket: fault.Provider, Since: "0.2.0",
			Links: []string{"https://docs.aws.amazon.com/codepipeline/latest/userguide/appendix-github-oauth.html", "https://docs.aws.amazon.com/codepipeline/latest/userguide/update-github-action-connections.html"},
		},
		Reads:    []fact.Kind{fact.KindPipelineList, fact.KindPipeline, fact.KindPipelineState},
		Diagnose: diagnose,
	}
}

func diagnose(s *fact.Snapshot) fault.Judgement {
	pipelines, needs := fault.Subjects(s)
	j := fault.Judgement{Needs: needs}
	for _, p := range pipelines {
		if !hasOAuth(p) {
			continue
		}
		fails, state := fault.Fails(s, p)
		j.Need(state)
		for _, c := range fails {
			if !oauth(c.Action) || !strings.Contains(strings.ToLower(c.State.Error), "could not access the github repository") {
				continue
			}
			j.Findings = append(j.Findings, fault.Finding{
				Title: "GitHub refuses the token of an old source action", Severity: fault.High, Bucket: fault.Provider,
				Subject: fault.PipelineSubject(p), About: p.Ref(), Since: fault.Stamp(c.State.Changed), Link: fault.PipelineLink(s.Question(), p),
				Cause:    fault.Cause{Code: tokenRefused, Class: fault.Reported, Text: "GitHub refused the token of the GitHub (version 1) action, or no longer shows it the repository."},
				Evidence: []fault.Evidence{c.Evidence()},
				Message:  fmt.Sprintf("%s reads GitHub with an OAuth token that no longer works.", p.Name),
				Remedy:   "Move the source action to a connection (GitHub via GitHub App), or put a fresh token into it.",
			})
		}
	}
	return j
}

func hasOAuth(p fact.Pipeline) bool {
	for _, st := range p.Stages {
		for _, a := range st.Actions {
			if oauth(a) {
				return true
			}
		}
	}
	return false
}

func oauth(a fact.Action) bool {
	return a.Category == "Source" && a.Owner == "ThirdParty" && a.Provider == "GitHub"
}
