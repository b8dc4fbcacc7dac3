package codepipeline

import (
	"fmt"
	"strings"
)

func failKey(account, region, pipeline, stage, action string) string {
	return strings.Join([]string{account, region, pipeline, stage, action}, "|")
}

// HealAction lets an action that FailAction broke succeed again.
func (s *Service) HealAction(account, region, pipeline, stage, action string) {
	delete(s.fails, failKey(account, region, pipeline, stage, action))
}

// RevokeToken has GitHub refuse an OAuth token from now on, for every source action that was given it.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/appendix-github-oauth.html
func (s *Service) RevokeToken(token string) { s.revoked[token] = true }

// opens reports whether the token of an old GitHub source action still opens the repository.
func (p *pipeline) opens(run *actionRun) bool {
	at := run.stage + "|" + run.name
	return !p.lost[at] && !p.s.revoked[p.secrets[at+"|OAuthToken"]]
}

// Approve answers a manual approval that waits, in the name of by (an ARN or a login). It needs no permission and leaves
// no event; PutApprovalResult is the call that does. It is an error when nothing waits there.
func (s *Service) Approve(account, region, pipeline, stage, action, by, summary string) error {
	return s.decide(account, region, pipeline, stage, action, by, outcome{summary: summary})
}

// Reject is Approve with the answer no: the action fails.
func (s *Service) Reject(account, region, pipeline, stage, action, by, summary string) error {
	return s.decide(account, region, pipeline, stage, action, by, rejected(summary))
}

func rejected(summary string) outcome {
	return outcome{code: "JobFailed", message: "Rejected: " + summary, summary: summary}
}

func (s *Service) decide(account, region, pipeline, stage, action, by string, o outcome) error {
	if p := s.pipelines[key(account, region, pipeline)]; p != nil && p.stages[stage] != nil {
		if run := p.stages[stage].actions[action]; run != nil && run.status == "InProgress" && run.token != "" {
			run.by = by
			p.finish(run, o)
			return nil
		}
	}
	return fmt.Errorf("answer approval %s in %s of %s: nothing waits there", action, stage, pipeline)
}
