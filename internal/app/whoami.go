package app

import (
	"context"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/report"
)

// Whoami says as whom and where this session makes its calls. Only GetCallerIdentity must succeed; everything else is read at the
// same time, and what fails is a gap.
func (a *App) Whoami(ctx context.Context) (report.Whoami, error) {
	who, err := a.Identity(ctx)
	if err != nil {
		return report.Whoami{}, err
	}
	account := fact.Scope{Account: who.Account}
	b := fact.NewBuilder(fact.Question{Account: who.Account, Regions: []string{a.Region()}})
	a.collector.Collect(awsapi.AtOnce(ctx), b, []fact.Query{
		{Scope: account, Kind: fact.KindRegion}, {Scope: account, Kind: fact.KindOrganization}, {Scope: account, Kind: fact.KindRole},
	})
	now := time.Now()
	return report.NewWhoami(a.standing(ctx, who, now), b.Seal(now)), nil
}

// standing is what is known of the session without further calls.
func (a *App) standing(ctx context.Context, who fact.Identity, now time.Time) report.Standing {
	src := a.session.Sources(ctx)
	skew, _ := a.session.Skew()
	return report.Standing{
		Identity: who, Region: a.Region(), Skew: skew, Now: now,
		Credentials: report.Credentials{From: src.From, Profile: src.Profile, RoleARN: src.Role, Hides: src.Hides, Wrong: src.Wrong},
	}
}
