package awsapi

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const profiles = `[default]
region = eu-west-1
[profile prod]
region = eu-west-1
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Dev
[profile ops]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = keys
region = us-east-1
[profile mixed]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Dev
aws_access_key_id = AKIAFILEFILEFILE0001
aws_secret_access_key = file-secret
[profile tool]
credential_process = /bin/false
[profile broken]
role_arn = arn:aws:iam::333333333333:role/Ops
source_profile = nobody
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.com/start
`

const credentialsFile = `[keys]
aws_access_key_id = AKIAFILEFILEFILE0002
aws_secret_access_key = file-secret
`

// Whatever hides what: the order is the SDK's, and what somebody asked for and did not get is said.
func TestSources(t *testing.T) {
	env := map[string]string{"AWS_ACCESS_KEY_ID": "AKIAENVENVENVENV0001", "AWS_SECRET_ACCESS_KEY": "env-secret"}
	for name, c := range map[string]struct {
		env     map[string]string
		keys    bool // in the environment
		o       Options
		from    string
		profile string
		hides   []string // parts of each
		wrong   string
	}{
		"nothing":                 {from: "instance metadata"},
		"environment alone":       {keys: true, from: "environment variables (AWS_ACCESS_KEY_ID)"},
		"environment hides named": {keys: true, env: map[string]string{"AWS_PROFILE": "prod"}, from: "environment variables", hides: []string{"profile prod (SSO), named by AWS_PROFILE"}, wrong: "environment variables (AWS_ACCESS_KEY_ID) hide profile prod"},
		"--profile hides env":     {keys: true, o: Options{Profile: "prod"}, from: "profile prod (SSO)", profile: "prod", hides: []string{"environment variables"}},
		"profile":                 {env: map[string]string{"AWS_PROFILE": "prod"}, from: "profile prod (SSO), named by AWS_PROFILE", profile: "prod"},
		"old name of the setting": {env: map[string]string{"AWS_DEFAULT_PROFILE": "tool"}, from: "profile tool (credential_process)", profile: "tool"},
		"role of a profile":       {o: Options{Profile: "ops"}, from: "profile ops (role arn:aws:iam::222222222222:role/Ops assumed with profile keys)", profile: "ops"},
		"keys over SSO":           {o: Options{Profile: "mixed"}, from: "profile mixed (access keys in the file)", profile: "mixed", hides: []string{"profile mixed (SSO)"}, wrong: "hide profile mixed (SSO)"},
		"web identity": {env: map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn:aws:iam::111111111111:role/Ci", "AWS_PROFILE": "tool"},
			from: "web identity of the environment", hides: []string{"profile tool"}, wrong: "hide profile tool"},
		"container":      {env: map[string]string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/c"}, from: "container credentials"},
		"role on top":    {keys: true, o: Options{RoleARN: "arn:aws:iam::111111111111:role/Read"}, from: "environment variables"},
		"fixed keys":     {keys: true, o: Options{Keys: keys()}, from: "keys given to the program"},
		"half a key":     {env: map[string]string{"AWS_ACCESS_KEY_ID": "AKIAENVENVENVENV0001", "AWS_PROFILE": "prod"}, from: "profile prod", profile: "prod"},
		"broken profile": {keys: true, env: map[string]string{"AWS_PROFILE": "broken"}, from: "environment variables"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := machine(t)
			write(t, filepath.Join(dir, "config"), profiles)
			write(t, filepath.Join(dir, "credentials"), credentialsFile)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			if c.keys {
				for k, v := range env {
					t.Setenv(k, v)
				}
			}
			got := (&Session{opts: c.o}).Sources(t.Context())
			if !strings.HasPrefix(got.From, c.from) || got.Profile != c.profile || got.Role != c.o.RoleARN || len(got.Hides) != len(c.hides) {
				t.Fatalf("got %+v", got)
			}
			for i, h := range c.hides {
				if !strings.Contains(got.Hides[i], h) {
					t.Errorf("hides %q, want %q", got.Hides[i], h)
				}
			}
			if (got.Wrong == "") != (c.wrong == "") || !strings.Contains(got.Wrong, c.wrong) {
				t.Errorf("wrong %q, want %q", got.Wrong, c.wrong)
			}
			all := strings.Join(append(got.Hides, got.From, got.Wrong), " ")
			for _, secret := range []string{"AKIA", "secret", "corp.awsapps.com"} {
				if strings.Contains(all, secret) {
					t.Errorf("%q tells %s", all, secret)
				}
			}
		})
	}
}

// Profiles are found by the account that their SSO settings or their role lead to.
func TestProfiles(t *testing.T) {
	dir := machine(t)
	write(t, filepath.Join(dir, "config"), profiles)
	write(t, filepath.Join(dir, "credentials"), credentialsFile)
	var got []string
	for _, p := range (&Session{}).Profiles(t.Context()) {
		got = append(got, p.Name+" "+p.Account+" "+p.Region)
	}
	want := []string{"default  eu-west-1", "prod 111111111111 eu-west-1", "ops 222222222222 us-east-1", "mixed 111111111111 ", "tool  ", "keys  "}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if all := (&Session{opts: Options{Keys: keys()}}).Profiles(t.Context()); all != nil {
		t.Errorf("a closed session knows profiles: %v", all)
	}
}
