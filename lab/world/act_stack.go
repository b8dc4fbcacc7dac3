package world

import (
	"fmt"

	"github.com/unjam/unjam/lab/cloud"
)

// stackOf is the ARN of the stack that a caller's calls are made for; "" for a caller who is no stack's. Roles have no Region: they
// belong to the stack in the account's first one.
func (d *loader) stackOf(k *cloud.Caller, service, region string) string {
	stack := d.origins[k.Name].stack
	if stack == "" {
		return ""
	}
	if svc := d.c.Service(service); svc != nil && svc.Global {
		region = d.regions[k.Account]
	}
	return d.lab.Stacks.ID(k.Account, region, stack)
}

// fromTemplate is a pipeline's declaration as the acting stack's template has it; live when the actor is no stack's or the stack
// does not own the pipeline. CloudFormation writes what the template says, whatever became of the pipeline since.
func (d *loader) fromTemplate(a *act, t *thing, live map[string]any) map[string]any {
	if k := d.c.CallerByName(a.actor); k != nil {
		if own := d.lab.Stacks.Declaration(d.stackOf(k, "codepipeline", t.region), t.name); own != nil {
			return own
		}
	}
	return live
}

// detects: CALLER detects drift STACK [region=]: a drift detection, which is over some seconds later
func (d *loader) detects(a *act) error {
	if !a.skip("drift") {
		return fmt.Errorf("what is detected? write `detects drift STACK`")
	}
	stack, err := a.word("the stack's name")
	if err != nil {
		return err
	}
	a.subject = stack
	_, err = d.call(a, "cloudformation", "DetectStackDrift", d.regionOf(a), map[string]any{"StackName": stack})
	return err
}
