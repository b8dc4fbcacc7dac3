package codepipeline

import (
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// looking is how often CodePipeline looks at a deployment that it has begun. AWS names no figure.
const looking = 10 * time.Second

// deploy begins the deployment of a CloudFormation action.
func (p *pipeline) deploy(run *actionRun, role cloud.Principal, region string) outcome {
	id, ended, refused := p.s.stacks.Deploy(role, region, run.decl.configuration(), run.e.revision())
	if refused != nil {
		return p.stackFailure(refused, id)
	}
	return outcome{external: id, later: func() (outcome, bool) {
		over, failed := ended()
		switch {
		case !over:
			return outcome{}, false
		case failed != nil:
			return p.stackFailure(failed, id), true
		}
		return outcome{external: id, summary: "Deployment succeeded"}, true
	}}
}

// stackFailure words what an action shows of a deployment that failed. Which words AWS uses is not documented.
func (p *pipeline) stackFailure(failed *cloud.Error, id string) outcome {
	if failed.Code == "" {
		return outcome{code: "JobFailed", message: failed.Message, external: id}
	}
	code := failed.Code
	if code == cloud.ValidationError {
		code = "ValidationError" // as CloudFormation spells it
	}
	k := call{service: "cloudformation", product: "AmazonCloudFormation"}
	o := k.failure("JobFailed", failed.Message, code, max(failed.Status, 400), p.s.c.TraceID())
	o.external = id
	return o
}

// revision names what the source actions of a run have fetched; "" when they told none.
func (e *execution) revision() string {
	var all []string
	for _, r := range e.revisions {
		all = append(all, r.action+"="+r.id)
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

// await finishes an action when what it began has ended, or when its time is over.
func (p *pipeline) await(run *actionRun, o outcome, limit time.Duration) {
	run.external = o.external
	p.publish()
	var look func()
	look = func() {
		if run.status != "InProgress" {
			return // abandoned meanwhile
		}
		if end, over := o.later(); over {
			p.finish(run, end)
		} else if p.s.c.Now().Sub(run.began) >= limit {
			p.finish(run, timedOut(run.decl, limit))
		} else {
			p.s.c.After(looking, look)
		}
	}
	look()
}
