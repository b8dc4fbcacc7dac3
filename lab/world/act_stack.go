package world

import "fmt"

// stackOf is the ARN of the stack that a caller's calls are made for; "" for a caller who is no stack's. Roles have no Region: they
// belong to the stack of the line's own.
func (d *loader) stackOf(a *act, account, region, service string) string {
	stack := d.origins[a.actor].stack
	if stack == "" {
		return ""
	}
	if svc := d.c.Service(service); svc != nil && svc.Global {
		region = d.regionOf(a)
	}
	return d.lab.Stacks.ID(account, region, stack)
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
