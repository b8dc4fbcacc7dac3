package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// profileHint names a profile of the local AWS config that speaks of an account; "" when none does.
func (a *App) profileHint(account string) string {
	path := os.Getenv("AWS_CONFIG_FILE")
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		path = filepath.Join(home, ".aws", "config")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "" // a hint only: without the file there is none
	}
	if name := profileOf(string(b), account); name != "" {
		return "; try --profile " + name
	}
	return ""
}

var section = regexp.MustCompile(`^\s*\[(?:profile\s+)?([^\]]+)\]`)

// profileOf finds the first profile whose settings (sso_account_id, role_arn, ...) name the account.
func profileOf(config, account string) string {
	name := ""
	for line := range strings.Lines(config) {
		if m := section.FindStringSubmatch(line); m != nil {
			name = strings.TrimSpace(m[1])
			if strings.HasPrefix(name, "sso-session ") {
				name = ""
			}
			continue
		}
		if name != "" && strings.Contains(line, account) {
			return name
		}
	}
	return ""
}
