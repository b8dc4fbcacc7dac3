package app

import (
	"context"
	"slices"
	"strings"

	"github.com/unjam/unjam/internal/fact"
)

// profileHint names the profiles of the local AWS configuration that lead to an account; "" when none does.
func (a *App) profileHint(ctx context.Context, account string) string {
	var names []string
	for _, p := range a.session.Profiles(ctx) {
		if p.Account == account {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; try --profile " + strings.Join(names, " or --profile ")
}

// strangers says of targets in other accounts which profiles lead there, when some do, and of targets in other Regions than the ones
// asked that they are read where they are. Pipelines of other accounts are refused before; connections and hosts are looked at all the
// same, since they may be shared.
func (a *App) strangers(ctx context.Context, who fact.Identity, targets []fact.Target) []string {
	var all []string
	for _, t := range targets {
		if t.Account != "" && t.Account != who.Account {
			if hint := a.profileHint(ctx, t.Account); hint != "" {
				all = append(all, "the "+t.Noun()+" belongs to account "+t.Account+", these credentials are of account "+who.Account+hint)
			}
		}
		if regional := t.Kind == fact.KindPipeline || t.Kind == fact.KindHost; regional && t.Region != "" && !a.asked(t.Region) {
			all = append(all, "the "+t.Noun()+" is in Region "+t.Region+", this session's is "+a.Region()+": it is read where it is")
		}
	}
	return all
}

// asked reports whether a Region is among those that were asked for: of --region, else the session's own.
func (a *App) asked(region string) bool {
	if len(a.cfg.Regions) == 0 {
		return region == a.Region()
	}
	return a.cfg.Regions[0] == "all" || slices.Contains(a.cfg.Regions, region)
}
