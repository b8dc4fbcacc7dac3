package lab_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	analyzertypes "github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	awscodebuild "github.com/aws/aws-sdk-go-v2/service/codebuild"
	awshealth "github.com/aws/aws-sdk-go-v2/service/health"
	healthtypes "github.com/aws/aws-sdk-go-v2/service/health/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	quotatypes "github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/codebuild"
	"github.com/unjam/unjam/lab/svc/health"
	"github.com/unjam/unjam/lab/svc/iam"
)

// sdk is a lab and what an SDK client needs to call it from eu-west-1 as an account's root user.
func sdk(t *testing.T) (*lab.Lab, aws.Config) {
	t.Helper()
	l := lab.New()
	apimodel.Attach(t, l)
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: "111111111111"})
		l.Cloud.AddCaller(&cloud.Caller{Name: "root", AccessKeyID: "AKIAROOTEXAMPLE00001", SecretAccessKey: "s", Principal: iam.RootPrincipal("111111111111")})
	})
	return l, aws.Config{Region: "eu-west-1", HTTPClient: &http.Client{Transport: l}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAROOTEXAMPLE00001", "s", "")}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func TestSDKServiceQuotas(t *testing.T) {
	l, c := sdk(t)
	l.Cloud.Within(func() { l.Cloud.SetLimit("111111111111", "", "L-78D200AD", 1200) })
	client, seen := servicequotas.NewFromConfig(c), map[string]float64{}
	for p := servicequotas.NewListServiceQuotasPaginator(client, &servicequotas.ListServiceQuotasInput{ServiceCode: aws.String("codepipeline"), MaxResults: aws.Int32(4)}); p.HasMorePages(); {
		for _, q := range must[*servicequotas.ListServiceQuotasOutput](t)(p.NextPage(t.Context())).Quotas {
			seen[*q.QuotaCode] = *q.Value
		}
	}
	if len(seen) != 9 || seen["L-78D200AD"] != 1200 || seen["L-FE939BB2"] != 300 {
		t.Errorf("quotas %v", seen)
	}
	_, err := client.ListServiceQuotas(t.Context(), &servicequotas.ListServiceQuotasInput{ServiceCode: aws.String("codeconnections")})
	if none := (*quotatypes.NoSuchResourceException)(nil); !errors.As(err, &none) || none.ErrorMessage() == "" {
		t.Errorf("connections: %v", err)
	}
}

func TestSDKOrganizations(t *testing.T) {
	l, c := sdk(t)
	client := organizations.NewFromConfig(c)
	_, err := client.DescribeOrganization(t.Context(), nil)
	if none := (*orgtypes.AWSOrganizationsNotInUseException)(nil); !errors.As(err, &none) {
		t.Errorf("no organisation: %v", err)
	}
	l.Cloud.Within(func() {
		if err := l.IAM.SetOrganization(iam.Organization{ID: "o-example0001", Management: "222222222222", Members: []string{"111111111111"}}); err != nil {
			t.Fatal(err)
		}
	})
	o := must[*organizations.DescribeOrganizationOutput](t)(client.DescribeOrganization(t.Context(), nil)).Organization
	if *o.MasterAccountId != "222222222222" || *o.Id != "o-example0001" {
		t.Errorf("%+v", o)
	}
	_, err = client.ListPoliciesForTarget(t.Context(), &organizations.ListPoliciesForTargetInput{TargetId: aws.String("111111111111"), Filter: orgtypes.PolicyTypeServiceControlPolicy})
	if denied := (*orgtypes.AccessDeniedException)(nil); !errors.As(err, &denied) {
		t.Errorf("a member reads policies: %v", err)
	}
}

func TestSDKHealth(t *testing.T) {
	l, c := sdk(t)
	_, err := awshealth.NewFromConfig(c).DescribeEvents(t.Context(), nil)
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != "InvalidSignatureException" {
		t.Errorf("in a Region where AWS Health does not answer: %v", err)
	}
	c.Region = "us-east-1"
	client := awshealth.NewFromConfig(c)
	_, err = client.DescribeEvents(t.Context(), nil)
	if !errors.As(err, &e) || e.ErrorCode() != "SubscriptionRequiredException" {
		t.Errorf("without a plan: %v", err)
	}
	var arn string
	l.Cloud.Within(func() {
		if err := l.Health.SetPlan("111111111111", "business"); err != nil {
			t.Fatal(err)
		}
		arn = l.Health.Report(health.Event{Service: "CODEPIPELINE", Region: "eu-west-1", Status: "open", Text: "Runs wait."})
	})
	out := must[*awshealth.DescribeEventsOutput](t)(client.DescribeEvents(t.Context(), &awshealth.DescribeEventsInput{
		Filter: &healthtypes.EventFilter{Services: []string{"CODEPIPELINE"}, Regions: []string{"eu-west-1"}, EventStatusCodes: []healthtypes.EventStatusCode{"open"}}}))
	if len(out.Events) != 1 || *out.Events[0].Arn != arn || out.Events[0].StartTime == nil {
		t.Fatalf("%+v", out.Events)
	}
	d := must[*awshealth.DescribeEventDetailsOutput](t)(client.DescribeEventDetails(t.Context(), &awshealth.DescribeEventDetailsInput{EventArns: []string{arn}}))
	if *d.SuccessfulSet[0].EventDescription.LatestDescription != "Runs wait." {
		t.Errorf("%+v", d.SuccessfulSet)
	}
}

func TestSDKCodeBuild(t *testing.T) {
	l, c := sdk(t)
	var id string
	l.Cloud.Within(func() {
		l.Builds.SetProject(codebuild.Project{Account: "111111111111", Region: "eu-west-1", Name: "web"})
		id, _ = l.Builds.Build("111111111111", "eu-west-1", "web", "arn:aws:codeconnections:eu-west-1:111111111111:connection/1", "acme/web")
	})
	client := awscodebuild.NewFromConfig(c)
	p := must[*awscodebuild.BatchGetProjectsOutput](t)(client.BatchGetProjects(t.Context(), &awscodebuild.BatchGetProjectsInput{Names: []string{"web"}})).Projects
	b := must[*awscodebuild.BatchGetBuildsOutput](t)(client.BatchGetBuilds(t.Context(), &awscodebuild.BatchGetBuildsInput{Ids: []string{id}})).Builds
	if len(p) != 1 || p[0].Source.Type != "CODEPIPELINE" || len(b) != 1 || b[0].BuildStatus != "FAILED" || len(b[0].Phases[0].Contexts) != 1 {
		t.Errorf("%+v %+v", p, b)
	}
}

func TestSDKAccessAnalyzer(t *testing.T) {
	l, c := sdk(t)
	l.Cloud.Within(func() {
		if err := l.Analyzer.AddAnalyzer("111111111111", "eu-west-1", "outside"); err != nil {
			t.Fatal(err)
		}
		if _, err := l.IAM.CreateRole("111111111111", "Lent", "/", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"sts:AssumeRole"}}`); err != nil {
			t.Fatal(err)
		}
	})
	client := accessanalyzer.NewFromConfig(c)
	const policy, more = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}`, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Put*","Resource":"*"}}`
	v := must[*accessanalyzer.ValidatePolicyOutput](t)(client.ValidatePolicy(t.Context(), &accessanalyzer.ValidatePolicyInput{PolicyType: "IDENTITY_POLICY", PolicyDocument: aws.String(`{"Version":"2012-10-17"}`)}))
	n := must[*accessanalyzer.CheckNoNewAccessOutput](t)(client.CheckNoNewAccess(t.Context(), &accessanalyzer.CheckNoNewAccessInput{PolicyType: "IDENTITY_POLICY", ExistingPolicyDocument: aws.String(policy), NewPolicyDocument: aws.String(more)}))
	if len(v.Findings) != 1 || *v.Findings[0].IssueCode != "MISSING_STATEMENT" || n.Result != "FAIL" || *n.Reasons[0].StatementIndex != 0 {
		t.Errorf("%+v %+v", v.Findings, n)
	}
	a := must[*accessanalyzer.ListAnalyzersOutput](t)(client.ListAnalyzers(t.Context(), &accessanalyzer.ListAnalyzersInput{Type: analyzertypes.TypeAccount})).Analyzers
	f := must[*accessanalyzer.ListFindingsV2Output](t)(client.ListFindingsV2(t.Context(), &accessanalyzer.ListFindingsV2Input{AnalyzerArn: a[0].Arn,
		Filter: map[string]analyzertypes.Criterion{"resourceType": {Eq: []string{"AWS::IAM::Role"}}}})).Findings
	if len(f) != 1 || *f[0].Resource != "arn:aws:iam::111111111111:role/Lent" || f[0].FindingType != analyzertypes.FindingTypeExternalAccess {
		t.Errorf("%+v", f)
	}
	_, err := client.ListFindingsV2(t.Context(), &accessanalyzer.ListFindingsV2Input{AnalyzerArn: aws.String("arn:aws:access-analyzer:eu-west-1:111111111111:analyzer/none")})
	if none := (*analyzertypes.ResourceNotFoundException)(nil); !errors.As(err, &none) || none.ResourceId == nil {
		t.Errorf("no such analyzer: %v", err)
	}
}

func TestSDKDecodesAnAuthorizationMessage(t *testing.T) {
	l, c := sdk(t)
	var text string
	l.Cloud.Within(func() {
		text = l.STS.Encode(iam.RootPrincipal("111111111111"), cloud.Access{Action: "ec2:CreateVpc", Resource: "*"}, cloud.Decision{})
	})
	out := must[*awssts.DecodeAuthorizationMessageOutput](t)(awssts.NewFromConfig(c).DecodeAuthorizationMessage(t.Context(),
		&awssts.DecodeAuthorizationMessageInput{EncodedMessage: aws.String(text[len("Encoded authorization failure message: "):])}))
	if out.DecodedMessage == nil || (*out.DecodedMessage)[0] != '{' {
		t.Errorf("%+v", out)
	}
}
