package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/unjam/unjam/internal/guard"
	"github.com/unjam/unjam/internal/plan"
)

// Approve says what to approve, as whom and how.
type Approve struct {
	Plan    plan.Plan
	File    string        // of the plan: the approval is stored beside it
	Expires time.Duration // from now on
	Comment string
	Signer  string     // principal of the key; "": the person
	Key     *guard.Key // nil: without a signature
	Revoke  bool       // take back what this person has approved
	Policy  guard.Policy
}

// Approve writes the caller's approval of a plan, or its revocation, beside the plan; a revocation also to where a run that has begun
// looks. It changes nothing in AWS. file is where it stands.
func (a *App) Approve(ctx context.Context, o Approve) (ap guard.Approval, file string, err error) {
	who, err := a.Identity(ctx)
	if err != nil {
		return ap, "", err
	}
	now, _ := (&gate{app: a}).now()
	now = now.UTC().Truncate(time.Second)
	ap = guard.Approval{
		Schema: guard.ApprovalSchema, PlanID: o.Plan.ID, By: who.ARN, Person: guard.PersonOf(who.ARN, ""), Signer: o.Signer,
		CreatedAt: now, ExpiresAt: now.Add(o.Expires), Comment: o.Comment, Revokes: o.Revoke,
	}
	if o.Key != nil {
		if ap, err = o.Key.Sign(ap); err != nil {
			return ap, "", err
		}
	}
	if err := o.Policy.Believes(ap, now); err != nil {
		return ap, "", err
	}
	text, err := ap.Text()
	if err != nil {
		return ap, "", err
	}
	if _, err := guard.ParseApproval("of "+string(ap.Person), text); err != nil {
		return ap, "", err
	}
	file = ap.FileName(o.File)
	if err := replace(file, text); err != nil {
		return ap, "", fmt.Errorf("write approval: %w", err)
	}
	kept := kept(a.cfg.Home, o.Plan.ID)
	if _, err := os.Stat(filepath.Dir(kept)); o.Revoke && err == nil {
		if err := replace(ap.FileName(kept), text); err != nil {
			return ap, "", fmt.Errorf("write approval: %w", err)
		}
	}
	return ap, file, nil
}
