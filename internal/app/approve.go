package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/unjam/unjam/internal/fact"
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

// afterRevocation is now, or the second after this person's last revocation of the plan: approvals carry whole seconds, and a revocation of
// the same second would outweigh a new approval.
func afterRevocation(file string, id fact.Digest, who guard.Person, now time.Time) (time.Time, error) {
	all, err := guard.LoadApprovals(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return now, err
	}
	for _, s := range all {
		if s.Revokes && s.PlanID == id && s.Person == who && !s.CreatedAt.Before(now) {
			now = s.CreatedAt.Add(time.Second)
		}
	}
	return now, nil
}

// Approve writes the caller's approval of a plan, or its revocation, beside the plan; a revocation also to where a run that has begun
// looks. It changes nothing in AWS. file is where it stands.
func (a *App) Approve(ctx context.Context, o Approve) (ap guard.Approval, file string, err error) {
	who, err := a.Identity(ctx)
	if err != nil {
		return ap, "", err
	}
	if err := guard.Foreign(who.ARN, o.Plan.Account); err != nil && o.Key == nil && !o.Revoke {
		return ap, "", &guard.Refused{Gate: guard.GateApproval, Why: err.Error(), Next: "unjam whoami; then another --profile, or --sign-with KEYFILE under a policy with allowedSigners"}
	}
	now, _ := (&gate{app: a}).now()
	now = now.UTC().Truncate(time.Second)
	if !o.Revoke {
		if now, err = afterRevocation(o.File, o.Plan.ID, guard.PersonOf(who.ARN, ""), now); err != nil {
			return ap, "", err
		}
	}
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
