package codepipeline

import (
	"slices"
	"strings"
	"time"
)

// typeOf is the ARN of the custom action type that an action of the pipeline names, in the Region that the action runs in.
func (p *pipeline) typeOf(a declared) string {
	region := p.region
	if in, _ := a["region"].(string); in != "" {
		region = in
	}
	return typeARN(p.account, region, "Custom", a.typeOf("category"), a.typeOf("provider"), a.typeOf("version"))
}

// served reports whether a worker would take the job of a custom action: its type exists in the Region of the action and somebody polls
// for its jobs. All other actions need no worker. PollForJobs fails for a type that was deleted.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_DeleteCustomActionType.html
func (p *pipeline) served(a declared) bool {
	if a.typeOf("owner") != "Custom" {
		return true
	}
	t, ok := p.s.types[p.typeOf(a)]
	return ok && !t.deleted && !t.idle
}

// job is an action whose job nobody has taken.
type job struct {
	p     *pipeline
	run   *actionRun
	takes time.Duration // how long its work takes
}

// queue leaves the job of an action waiting until a worker takes it or its time is over. What AWS does with a run that reaches an action
// whose type is gone is not documented; that it stands, without a word, until its time is over is the harsher reading.
func (p *pipeline) queue(run *actionRun, takes, limit time.Duration) {
	p.s.jobs = append(p.s.jobs, job{p, run, takes})
	p.s.c.After(limit-takes, func() { p.finish(run, timedOut(run.decl, limit)) })
}

// take gives the jobs that wait to the workers that poll for them by now.
func (s *Service) take() {
	waiting := s.jobs
	s.jobs = nil
	for _, j := range waiting {
		switch {
		case j.run.status != "InProgress": // abandoned, or its time was over
		case !j.p.served(j.run.decl):
			s.jobs = append(s.jobs, j)
		default:
			s.c.After(j.takes, func() {
				if j.run.status == "InProgress" {
					j.p.finish(j.run, j.p.perform(j.run))
				}
			})
		}
	}
}

// RegisterActionType makes a custom action type without a call, with a worker that polls for its jobs.
func (s *Service) RegisterActionType(account, region, category, provider, version string, properties ...string) {
	var list []any
	for _, name := range properties {
		list = append(list, map[string]any{"name": name, "required": true, "key": true, "secret": false, "type": "String"})
	}
	counts := map[string]any{"minimumCount": 0, "maximumCount": 5}
	t := actionType{tags: map[string]string{}, reply: map[string]any{
		"id":                   map[string]any{"category": category, "owner": "Custom", "provider": provider, "version": version},
		"inputArtifactDetails": counts, "outputArtifactDetails": counts,
	}}
	if list != nil {
		t.reply["actionConfigurationProperties"] = list
	}
	s.types[typeARN(account, region, "Custom", category, provider, version)] = t
}

// SetWorker says whether somebody polls for the jobs of a provider's types of a category in a Region, whatever their version; false when
// there is no such type. Workers poll from the start. It is no call: no AWS API shows who polls.
func (s *Service) SetWorker(account, region, category, provider string, polls bool) bool {
	found := false
	prefix := typeARN(account, region, "Custom", category, provider, "")
	for arn, t := range s.types {
		if strings.HasPrefix(arn, prefix) {
			t.idle, found = !polls, true
			s.types[arn] = t
		}
	}
	s.take()
	return found
}

// anywhere reports whether a custom action type exists in one of the Regions. A definition is held against the pipeline's own Region and
// the action's; which of them AWS looks at is not documented.
func (s *Service) anywhere(account string, a declared, regions ...string) bool {
	return slices.ContainsFunc(regions, func(region string) bool {
		t, ok := s.types[typeARN(account, region, "Custom", a.typeOf("category"), a.typeOf("provider"), a.typeOf("version"))]
		return region != "" && ok && !t.deleted
	})
}
