package awsapi

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
)

// Sources tells in words where a session's credentials come from and which others they hide: a setting that is there and does not
// count explains most calls in a wrong account. It holds names of settings and profiles only, never a key.
type Sources struct {
	From    string   // "environment variables", "profile prod (SSO)", "instance metadata"
	Profile string   // the profile that gives them; "" when none does
	Role    string   // the ARN of a role that is assumed on top (--role-arn)
	Hides   []string // what would count without them, first come first
	Wrong   string   // what is hidden although somebody asked for it, in a sentence; "" when nothing is
}

// Sources reads the environment and the shared configuration files again, the way the SDK does. It makes no call.
func (s *Session) Sources(ctx context.Context) Sources {
	if s.opts.Keys != nil {
		return Sources{From: "keys given to the program", Role: s.opts.RoleARN}
	}
	env, err := config.NewEnvConfig()
	if err != nil {
		return Sources{Role: s.opts.RoleARN} // Open has said what is wrong with them
	}
	p, ok := loadProfile(ctx, profileName(s.opts, env))
	return sources(s.opts, env, p, ok)
}

// profileName is the profile that counts: --profile, AWS_PROFILE, or default.
func profileName(o Options, env config.EnvConfig) string {
	for _, name := range []string{o.Profile, env.SharedConfigProfile} {
		if name != "" {
			return name
		}
	}
	return "default"
}

// sources follows the order of the SDK's chain: a profile named by --profile, keys of the environment, a web identity of the
// environment, the profile of AWS_PROFILE or the default one, the container, the instance.
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
func sources(o Options, env config.EnvConfig, p config.SharedConfig, exists bool) Sources {
	type source struct{ words, profile string }
	name := profileName(o, env)
	var settings []string
	if exists {
		settings = profileSettings(p)
	}
	var all []source
	profile := func() {
		for i, set := range settings {
			words := "profile " + name + " (" + set + ")"
			if i == 0 && o.Profile == "" && env.SharedConfigProfile != "" {
				words = "profile " + name + " (" + set + "), named by AWS_PROFILE"
			}
			all = append(all, source{words, name})
		}
	}
	if o.Profile != "" {
		profile()
	}
	if env.Credentials.HasKeys() {
		all = append(all, source{words: "environment variables (AWS_ACCESS_KEY_ID)"})
	}
	if env.WebIdentityTokenFilePath != "" {
		all = append(all, source{words: "web identity of the environment (AWS_WEB_IDENTITY_TOKEN_FILE)"})
	}
	if o.Profile == "" {
		profile()
	}
	if env.ContainerCredentialsRelativePath != "" || env.ContainerCredentialsEndpoint != "" {
		all = append(all, source{words: "container credentials (AWS_CONTAINER_CREDENTIALS_*)"})
	}
	out := Sources{From: "instance metadata", Role: o.RoleARN}
	if len(all) > 0 {
		out.From, out.Profile = all[0].words, all[0].profile
		for _, h := range all[1:] {
			out.Hides = append(out.Hides, h.words)
			named := env.SharedConfigProfile != "" && o.Profile == "" // by AWS_PROFILE
			if h.profile != "" && (named || h.profile == out.Profile) && out.Wrong == "" {
				out.Wrong = out.From + " hide " + h.words
			}
		}
	}
	return out
}

// profileSettings are the sorts of credentials that a profile has settings for; the first is the one that counts. A role of the
// profile is assumed with what that gives.
func profileSettings(p config.SharedConfig) []string {
	var all []string
	add := func(there bool, words string) {
		if there {
			all = append(all, words)
		}
	}
	add(p.SourceProfileName != "", "profile "+p.SourceProfileName)
	add(p.Credentials.HasKeys(), "access keys in the file")
	add(p.CredentialSource != "", p.CredentialSource)
	add(p.WebIdentityTokenFile != "", "a web identity")
	add(p.SSOSessionName != "" || p.SSOStartURL != "", "SSO")
	add(p.LoginSession != "", "console login")
	add(p.CredentialProcess != "", "credential_process")
	if p.RoleARN != "" && len(all) > 0 {
		all[0] = "role " + p.RoleARN + " assumed with " + all[0]
	}
	return all
}

// files are the shared configuration files that count.
func files() (configFile, credentialsFile string) {
	configFile, credentialsFile = os.Getenv("AWS_CONFIG_FILE"), os.Getenv("AWS_SHARED_CREDENTIALS_FILE")
	if configFile == "" {
		configFile = config.DefaultSharedConfigFilename()
	}
	if credentialsFile == "" {
		credentialsFile = config.DefaultSharedCredentialsFilename()
	}
	return configFile, credentialsFile
}

// loadProfile reads one profile; false when there is none of the name or its settings are broken.
func loadProfile(ctx context.Context, name string) (config.SharedConfig, bool) {
	configFile, credentialsFile := files()
	p, err := config.LoadSharedConfigProfile(ctx, name, func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles, o.CredentialsFiles = []string{configFile}, []string{credentialsFile}
	})
	return p, err == nil
}

// Profile is a profile of the local configuration and where it leads.
type Profile struct {
	Name    string
	Account string // of its SSO setting or its role; "" when it does not say
	Region  string // "" when it does not say
}

// Profiles are the profiles of the local configuration, as they stand in the files. A session with fixed keys knows none.
func (s *Session) Profiles(ctx context.Context) []Profile {
	if s.opts.Keys != nil {
		return nil
	}
	configFile, credentialsFile := files()
	var all []Profile
	for _, name := range profileNames(configFile, credentialsFile) {
		if p, ok := loadProfile(ctx, name); ok {
			all = append(all, Profile{Name: name, Account: profileAccount(p), Region: p.Region})
		}
	}
	return all
}

// profileAccount is the account that a profile leads to; "" when only AWS knows.
func profileAccount(p config.SharedConfig) string {
	if p.RoleARN != "" {
		if parts := strings.SplitN(p.RoleARN, ":", 6); len(parts) == 6 {
			return parts[4]
		}
	}
	return p.SSOAccountID
}

// profileNames lists the sections of the files that are profiles. The SDK loads profiles by name and lists none.
func profileNames(paths ...string) []string {
	var names []string
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // a hint only: a file that is not there names no profile
		}
		for line := range strings.Lines(string(b)) {
			head, ok := strings.CutPrefix(strings.TrimSpace(line), "[")
			name, _, closed := strings.Cut(head, "]")
			if name = strings.TrimSpace(name); !ok || !closed || strings.HasPrefix(name, "sso-session ") || strings.HasPrefix(name, "services ") {
				continue
			}
			if name = strings.TrimSpace(strings.TrimPrefix(name, "profile ")); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
