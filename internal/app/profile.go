package app

import (
	"context"
	"strings"
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
