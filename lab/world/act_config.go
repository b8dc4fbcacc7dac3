package world

import (
	"fmt"

	"github.com/unjam/unjam/lab/svc/config"
)

// addRecorder: recorder [account=] [regions=] [types=] [daily=yes] [actions=full]: an AWS Config recorder in every Region named
func (d *loader) addRecorder(l *line) error {
	account, err := d.accountOf(l)
	if err != nil {
		return err
	}
	set := config.Setting{Account: account, Types: l.list("types"), Daily: l.opt("daily", "no") == "yes"}
	switch v := l.opt("actions", "none"); v {
	case "none", "full":
		set.Full = v == "full"
	default:
		return fmt.Errorf("actions= is full or none, not %q", v)
	}
	regions := l.list("regions")
	if len(regions) == 0 {
		regions = []string{d.regions[account]}
	}
	for _, set.Region = range regions {
		if !d.c.Account(account).Enabled(set.Region) {
			return fmt.Errorf("account %s has no Region %s enabled", account, set.Region)
		}
		if err := d.lab.Config.Start(set); err != nil {
			return err
		}
	}
	return nil
}

// recorders: aws starts|stops recorder [account=] [region=]: the one of a Region, or of every Region that has one
func (d *loader) recorders(a *act) error {
	if !a.skip("recorder") {
		return fmt.Errorf("what of its own aws %s is a recorder", a.verb)
	}
	account, err := d.accountOf(a.line)
	if err != nil {
		return err
	}
	regions := d.lab.Config.Recorders(account)
	if a.has("region") || len(regions) == 0 {
		regions = []string{a.opt("region", d.regions[account])}
	}
	for _, r := range regions {
		if a.verb == "starts" {
			d.lab.Config.Resume(account, r)
		} else if err := d.lab.Config.Stop(account, r); err != nil {
			return err
		}
	}
	return nil
}
