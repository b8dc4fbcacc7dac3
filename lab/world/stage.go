package world

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
)

var (
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	regionName = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

// addAccount: account ID [alias=] [regions=] [enabled=] [disabled=] [tags=key:value,...]
func (d *loader) addAccount(l *line) error {
	id, err := l.word("the account's 12-digit ID")
	if err != nil {
		return err
	}
	if !accountID.MatchString(id) || d.c.Account(id) != nil {
		return fmt.Errorf("%s is not a new 12-digit account ID", id)
	}
	regions := l.list("regions")
	if len(regions) == 0 {
		regions = []string{"us-east-1"}
	}
	a := &cloud.Account{ID: id, Alias: l.opt("alias", ""), Regions: map[string]string{}}
	for _, r := range regions {
		a.Regions[r] = "ENABLED_BY_DEFAULT"
	}
	for _, r := range l.list("enabled") {
		a.Regions[r] = "ENABLED"
	}
	for _, r := range l.list("disabled") {
		a.Regions[r] = "DISABLED"
	}
	for _, tag := range l.list("tags") {
		key, value, ok := strings.Cut(tag, ":")
		if !ok || key == "" {
			return fmt.Errorf("tags= is a list of key:value, and %q is none", tag)
		}
		if a.Tags == nil {
			a.Tags = map[string]string{}
		}
		a.Tags[key] = value
	}
	for r := range a.Regions {
		if !regionName.MatchString(r) {
			return fmt.Errorf("%q is no Region", r)
		}
	}
	d.c.AddAccount(a)
	if d.account == "" {
		d.account, d.regions = id, map[string]string{}
	}
	d.regions[id] = regions[0]
	d.accounts[id] = id
	if a.Alias != "" {
		d.accounts[a.Alias] = id
	}
	return nil
}

// accountOf is the account a line names with account=, by ID or alias; the first account when it names none.
func (d *loader) accountOf(l *line) (string, error) {
	name := l.opt("account", d.account)
	if id, ok := d.accounts[name]; ok {
		return id, nil
	}
	return "", fmt.Errorf("there is no account %q", name)
}

// set: the settings of the lab, one or more.
func (d *loader) set(l *line) error {
	for _, key := range []string{"lag", "replication", "iam-lag", "trail-delay", "trail-spread", "latency", "skew", "config-delay"} {
		if !l.has(key) {
			continue
		}
		v, err := duration(l.opt(key, ""))
		if err != nil {
			return fmt.Errorf("%s=: %w", key, err)
		}
		switch key {
		case "lag":
			d.c.Lag = v
		case "replication":
			d.c.Replication = v
		case "iam-lag":
			d.c.AuthLag = v
		case "trail-delay":
			d.c.Trail.Delay = v
		case "trail-spread":
			d.c.Trail.Spread = v
		case "latency":
			d.c.Latency = v
		case "config-delay":
			d.lab.Config.Delay = v
		case "skew":
			d.c.Skew = v
		}
	}
	if l.has("dns") {
		if err := d.reach(l.opt("dns", "")); err != nil {
			return err
		}
	}
	if l.has("handshake-names") {
		d.lab.Connections.NameConnection = l.opt("handshake-names", "") == "on"
	}
	for key, off := range map[string]*bool{"trail": &d.c.Trail.Off, "handshakes": &d.c.Trail.NoHandshake, "read-events": &d.c.Trail.NoReadOnly} {
		switch v := l.opt(key, ""); v {
		case "":
		case "on", "off":
			*off = v == "off"
		default:
			return fmt.Errorf("%s= is on or off, not %q", key, v)
		}
	}
	if l.has("trail-max") {
		n, err := strconv.Atoi(l.opt("trail-max", ""))
		if err != nil || n < 1 {
			return fmt.Errorf("trail-max= is a number of bytes, 1 or more")
		}
		d.c.Trail.Max = n
	}
	if l.has("page") {
		n, err := strconv.Atoi(l.opt("page", ""))
		if err != nil || n < 1 {
			return fmt.Errorf("page= is a number of entries, 1 or more")
		}
		d.c.PageSize = n
	}
	return nil
}

// inject: inject KIND [SERVICE[:OPERATION]] [times=] [skip=] [delay=]
func (d *loader) inject(l *line) error {
	kinds := []string{"denied", "throttled", "expired", "reset", "timeout", "html", "half", "unknown-operation", "lost-reply", "slow"}
	kind, err := l.word("the kind of error")
	if err != nil {
		return err
	}
	if !slices.Contains(kinds, kind) {
		return fmt.Errorf("%q is no kind of error; the kinds are %s", kind, strings.Join(kinds, " "))
	}
	in := &cloud.Injection{Kind: kind}
	if len(l.words) > 0 {
		in.Service, in.Operation, _ = strings.Cut(l.words[0], ":")
		l.words = l.words[1:]
		if d.c.Service(in.Service) == nil {
			return fmt.Errorf("the lab serves no %q", in.Service)
		}
		if in.Operation != "" && d.c.Service(in.Service).Ops[in.Operation] == nil {
			return fmt.Errorf("%s has no operation %q here", in.Service, in.Operation)
		}
	}
	for key, to := range map[string]*int{"times": &in.Times, "skip": &in.Skip} {
		if n, err := strconv.Atoi(l.opt(key, "0")); err != nil || n < 0 {
			return fmt.Errorf("%s= is a number, 0 or more", key)
		} else {
			*to = n
		}
	}
	if in.Delay, err = duration(l.opt("delay", "0s")); err != nil {
		return fmt.Errorf("delay=: %w", err)
	}
	d.c.Injections = append(d.c.Injections, in)
	return nil
}

// providerWords are the words that begin an organisation's line, with their provider types.
func providerWords() map[string]string {
	return map[string]string{
		"github": provider.GitHub, "bitbucket": provider.Bitbucket, "gitlab": provider.GitLab, "azure": provider.AzureDevOps,
		"ghes": provider.GitHubEnterpriseServer, "gitlab-self-managed": provider.GitLabSelfManaged,
	}
}

// addOrg: github NAME owner= [members=] [repos=org/repo[:branch[:branch]]] [app=none|installed|suspended] [app-repos=]
func (d *loader) addOrg(l *line) error {
	kind := providerWords()[l.first]
	name, err := l.word("the organisation's name")
	if err != nil {
		return err
	}
	owner := l.opt("owner", "")
	if owner == "" {
		return fmt.Errorf("owner= is missing: somebody owns every organisation")
	}
	members := l.list("members")
	if _, err := d.lab.Git.AddOrg(kind, name, owner, members...); err != nil {
		return err
	}
	for _, p := range append([]string{owner}, members...) {
		d.w.people[p] = true
	}
	for _, r := range l.list("repos") {
		full, branches, _ := strings.Cut(r, ":")
		if !strings.HasPrefix(full, name+"/") {
			return fmt.Errorf("the repository %q is not one of %s: write %s/NAME", full, name, name)
		}
		if _, err := d.lab.Git.AddRepo(kind, full, split2(branches)...); err != nil {
			return err
		}
	}
	if url := l.opt("url", ""); url != "" {
		d.lab.Git.AddServer(kind, url, l.opt("admin", owner))
		d.w.people[l.opt("admin", owner)] = true
		d.urls[name] = url
		if err := d.addServer(l, url); err != nil {
			return err
		}
	}
	return d.app(l, kind, name, owner)
}

func split2(branches string) []string {
	if branches == "" {
		return nil
	}
	return strings.Split(branches, ":")
}

func (d *loader) app(l *line, kind, name, owner string) error {
	state := l.opt("app", "none")
	if !slices.Contains([]string{"none", "installed", "suspended"}, state) {
		return fmt.Errorf("app= is none, installed or suspended, not %q", state)
	}
	repos := l.list("app-repos")
	if state == "none" {
		return nil
	}
	if _, err := d.lab.Git.Install(kind, name, owner, repos...); err != nil {
		return err
	}
	if state == "suspended" {
		return d.lab.Git.Suspend(kind, name, true)
	}
	return nil
}

// duration reads 90s, 5m, 3h, 21d, 2w and sums such as 1d12h.
func duration(s string) (time.Duration, error) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	var sum time.Duration
	rest := s
	for rest != "" {
		i := 0
		for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' {
			i++
		}
		if i == 0 || i > 6 || i == len(rest) {
			return 0, fmt.Errorf("%q is no time: write 90s, 5m, 3h, 21d or 1d12h", s)
		}
		n, _ := strconv.Atoi(rest[:i])
		if rest[i] == 'm' && strings.HasPrefix(rest[i:], "ms") {
			sum, rest = sum+time.Duration(n)*time.Millisecond, rest[i+2:]
			continue
		}
		unit, ok := units[rest[i]]
		if !ok || sum > 10*365*24*time.Hour {
			return 0, fmt.Errorf("%q is no time: write 90s, 5m, 3h, 21d or 1d12h", s)
		}
		sum, rest = sum+time.Duration(n)*unit, rest[i+1:]
	}
	if s == "" {
		return 0, fmt.Errorf("a time is missing: write 90s, 5m, 3h, 21d or 1d12h")
	}
	return sum, nil
}
