package export

import (
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever things are called, their files lie below the run's folder at paths that every file system takes, and never at the same one.
func FuzzNames(f *testing.F) {
	f.Add("pipeline", "web", "Web", "eu-west-1", "GetPipeline")
	f.Add("..", "../../etc/passwd", "..\\..\\x", "", "..")
	f.Add("con", "nul", "NUL.txt", "aux", "com1")
	f.Add("", "", "/", ":", "")
	f.Add("policies", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b/a", "global", "Get\x00Role")
	f.Add(".git", ".git", "git~1", ".GIT", "config")
	f.Add("-rf", "\u202egnp.x", "CON\u00b9", strings.Repeat("é", 300), strings.Repeat("x", 300))
	f.Fuzz(func(t *testing.T, kind, one, other, region, operation string) {
		used := names{}
		seen := map[string]string{}
		for _, i := range []Item{
			{Kind: kind, ID: one, Region: region, Operation: operation},
			{Kind: kind, ID: other, Region: region, Operation: operation},
			{Kind: kind, ID: one, Region: region, Operation: operation}, // the next page
			{Kind: kind, ID: one, Region: "", Operation: operation},
			{Kind: kind, ID: one, Region: region, Operation: operation + ".2"},
			{Kind: kind, ID: one, Region: region, Operation: strings.ToUpper(operation)},
			{Kind: kind, ID: one, Region: region, Operation: operation, Body: []byte("<a/>")},
		} {
			name := used.fileOf(i) + ".age"
			if was, ok := seen[strings.ToLower(name)]; ok {
				t.Errorf("%+v and %s are both at %q", i, was, name)
			}
			seen[strings.ToLower(name)] = i.ID
			if !filepath.IsLocal(filepath.FromSlash(name)) || path.Clean(name) != name || strings.Count(name, "/") != 2 {
				t.Errorf("%+v is at %q", i, name)
			}
			for _, part := range strings.Split(name, "/") {
				portable(t, part)
			}
		}
		portable(t, safe(one))
	})
}

// portable fails for what some file system does not take as a name, or takes for another one.
func portable(t *testing.T, part string) {
	t.Helper()
	bad := strings.Trim(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != ""
	stem, _, _ := strings.Cut(strings.ToUpper(part), ".")
	device := len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) && stem[3] >= '0' && stem[3] <= '9'
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "": // "" is a name that begins with a dot
		device = true
	}
	if bad || device || len(part) > 200 || strings.HasPrefix(part, "-") || strings.HasSuffix(part, ".") {
		t.Errorf("%q is no name for every system", part)
	}
}
