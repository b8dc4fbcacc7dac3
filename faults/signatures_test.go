package faults_test

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/internal/app"
	"github.com/unjam/unjam/internal/fact"
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/testkit"
)

// signatures are the known ways in which an action fails (lab/world/testdata/signatures.txt) and what the diagnosis has to say first.
func signatures() map[string]string {
	return map[string]string{
		"the role lacks UseConnection":                                                "connection-denied/lacks-both-prefixes",
		"the role lacks UseConnection under the old prefix alone":                     "connection-denied/lacks-codestar-connections",
		"the role's policy names the new prefix alone":                                "prefix-mismatch/policy-lacks-codestar-connections",
		"the branch is missing":                                                       "connection-unusable/unknown",
		"the branch was renamed":                                                      "connection-unusable/unknown",
		"the repository is named without its owner":                                   "connection-unusable/repository-name-malformed",
		"the repository is named in the wrong case":                                   "connection-unusable/unknown",
		"the app does not see the repository":                                         "connection-unusable/unknown",
		"the app is bound to another organisation":                                    "connection-unusable/unknown",
		"the app was uninstalled, and the connection is still AVAILABLE":              "connection-unusable/unknown",
		"the app was installed anew":                                                  "connection-unusable/unknown",
		"the app is suspended":                                                        "connection-unusable/unknown",
		"another provider's tag":                                                      "connection-unusable/unknown",
		"the connection is PENDING":                                                   "connection-pending/handshake-never-attempted",
		"the connection is in ERROR":                                                  "connection-error/unknown",
		"the connection was deleted":                                                  "connection-missing/deleted",
		"the token of an old GitHub source was revoked":                               "oauth-source-refused/token-refused",
		"the pipeline's role no longer trusts CodePipeline":                           "role-broken/role-trust",
		"the build's own role lacks UseConnection for a full clone":                   "connection-denied/clone-role-lacks-use-connection",
		"StartBuild is not allowed":                                                   "access-denied/no-identity-policy",
		"CreateDeployment is denied":                                                  "access-denied/identity-deny",
		"InvokeFunction is denied":                                                    "access-denied/identity-deny",
		"DescribeStacks is denied":                                                    "access-denied/identity-deny",
		"the stack's role may not be handed over":                                     "stack-action-failed/pass-role-denied",
		"a resource of the stack cannot be made":                                      "stack-action-failed/resource-failed",
		"the load balancer of a stack does not take a certificate that is not issued": "certificate-pending/record-missing",
		"the stack is left over from a failed creation":                               "stack-action-failed/rollback-complete",
		"the template makes a role that nobody acknowledged":                          "stack-action-failed/capability-missing",
		"the template is not in the artifact":                                         "stack-action-failed/template-missing",
		"the action's role in another account no longer trusts the pipeline's":        "role-broken/role-trust",
		"the pipeline's role may not assume the action's role":                        "role-broken/identity-deny",
		"the boundary of the pipeline's role is too narrow":                           "role-broken/boundary",
		"the organisation forbids the call":                                           "role-broken/scp-deny",
		"builds are throttled":                                                        "quota-reached/throttled",
		"others use up the builds":                                                    "quota-reached/limit-exceeded",
		"others use up the deployments":                                               "quota-reached/limit-exceeded",
		"a service that an action calls has trouble":                                  "service-trouble/internal-error",
		"CodePipeline itself has trouble":                                             "service-trouble/internal-error",
		"a build fails":                                                               "action-failed/own-failure",
		"a deployment to S3 hangs":                                                    "action-timeout/ran-out",
		"a function never answers":                                                    "action-timeout/ran-out",
		"the image of an ECR source has another tag":                                  "image-tag-immutable/tag-missing",
		"the repository of an ECR source was deleted":                                 "image-tag-immutable/repository-missing",
		"the pipeline's role may not look at the image":                               "access-denied/identity-deny",
		"nobody approves":                                                             "approval-waiting/ran-out",
		"the action type of a custom action was deleted":                              "action-type-missing/deleted",
		"the artifact bucket was deleted":                                             "artifact-bucket-missing/deleted",
		"the artifact bucket of another Region was deleted":                           "artifact-bucket-missing/deleted",
		"the artifact bucket does not let the pipeline's role in":                     "artifact-denied/bucket-policy",
		"the pipeline's role was deleted":                                             "role-broken/role-missing",
		"the trust policy of the pipeline's role is for another account":              "role-broken/trust-condition",
		"the role of an ECS action may not hand over the role of the tasks":           "role-broken/pass-role-missing",
		"nobody works for a custom action":                                            "action-type-missing/no-worker",
	}
}

// TestSignatures plays every known way in which an action fails and compares the first finding with the cause that was acted.
func TestSignatures(t *testing.T) {
	raw, err := os.ReadFile("../lab/world/testdata/signatures.txt")
	if err != nil {
		t.Fatal(err)
	}
	stage, err := os.ReadFile("../lab/world/testdata/signatures.world")
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(string(raw), "\ncase: ")[1:]
	want := signatures()
	if len(cases) != len(want) {
		t.Errorf("%d cases, %d of them are answered for", len(cases), len(want))
	}
	for _, c := range cases {
		name, body, _ := strings.Cut(c, "\n")
		acts, fails, _ := strings.Cut(body, "\n> ")
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				played := testkit.Start(t, "signature", []byte(string(stage)+acts+"\n"))
				time.Sleep(5 * time.Minute)
				target, err := fact.ParseTarget(strings.Fields(fails)[0])
				if err != nil {
					t.Fatal(err)
				}
				d, err := played.App.Diagnose(t.Context(), app.Ask{Targets: []fact.Target{target}}, faults.All(), nil)
				if err != nil {
					t.Fatal(err)
				}
				got := "nothing"
				if all := d.Report.Findings; len(all) > 0 {
					got = string(all[0].Code) + "/" + all[0].Cause.Code
					if all[0].Cause.Class == fault.Verified && strings.HasPrefix(want[name], string(all[0].Code)) && got != want[name] {
						t.Error("and it calls that verified")
					}
				}
				if got != want[name] {
					t.Errorf("%q: %q,\n%s", name, got, testkit.Describe(d))
				}
			})
		})
	}
}
