package drive

import (
	"github.com/unjam/unjam/lab/svc/codebuild"
	"github.com/unjam/unjam/lab/svc/health"
	"github.com/unjam/unjam/lab/svc/iam"
)

func quotaSteps() []step {
	const pipelines, none = `"ServiceCode":"codepipeline","QuotaCode":"L-78D200AD"`, `"ServiceCode":"codepipeline","QuotaCode":"L-00000000"`
	all := []step{
		{op: "ListServices", in: `{}`},
		{op: "ListServices", in: `{"MaxResults":500}`, code: "ValidationException"},
		{op: "ListServiceQuotas", in: `{"ServiceCode":"codepipeline","MaxResults":3}`, keep: "more=NextToken"},
		{op: "ListServiceQuotas", in: `{"ServiceCode":"codepipeline","MaxResults":3,"NextToken":"$more"}`},
		{op: "ListServiceQuotas", in: `{"ServiceCode":"codepipeline","NextToken":"bm9uZQ=="}`, code: "InvalidPaginationTokenException"},
		{op: "ListServiceQuotas", in: `{"ServiceCode":"codeconnections"}`, code: "NoSuchResourceException"},
		{op: "ListAWSDefaultServiceQuotas", in: `{"ServiceCode":"codepipeline"}`},
		{op: "ListAWSDefaultServiceQuotas", in: `{"ServiceCode":"codestar-connections"}`, code: "NoSuchResourceException"},
		{op: "GetServiceQuota", in: `{` + pipelines + `}`},
		{op: "GetServiceQuota", in: `{` + none + `}`, code: "NoSuchResourceException"},
		{op: "GetAWSDefaultServiceQuota", in: `{` + pipelines + `}`},
		{op: "GetAWSDefaultServiceQuota", in: `{` + none + `}`, code: "NoSuchResourceException"},
	}
	return named("servicequotas", all)
}

// named puts the service before every operation.
func named(service string, all []step) []step {
	for i := range all {
		if all[i].act == nil {
			all[i].op = service + ":" + all[i].op
		}
	}
	return all
}

func organizationSteps() []step {
	const scp = `"TargetId":"222222222222","Filter":"SERVICE_CONTROL_POLICY"`
	return named("organizations", []step{
		{op: "DescribeOrganization", in: `{}`, code: "AWSOrganizationsNotInUseException"},
		{act: func(d *driver) error {
			var err error
			d.lab.Cloud.Within(func() {
				err = d.lab.IAM.SetOrganization(iam.Organization{ID: "o-example0001", Management: account, Members: []string{account, "222222222222"}})
				if err == nil {
					err = d.lab.IAM.SetSCP("222222222222", "guard", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}`)
				}
			})
			return err
		}},
		{op: "DescribeOrganization", in: `{}`},
		{op: "ListAccounts", in: `{"MaxResults":1}`, keep: "more=NextToken"},
		{op: "ListAccounts", in: `{"MaxResults":1,"NextToken":"$more"}`},
		{op: "ListAccounts", in: `{"NextToken":"no token of mine"}`, code: "InvalidInputException"},
		{op: "DescribeAccount", in: `{"AccountId":"222222222222"}`},
		{op: "DescribeAccount", in: `{"AccountId":"333333333333"}`, code: "AccountNotFoundException"},
		{op: "ListParents", in: `{"ChildId":"222222222222"}`},
		{op: "ListParents", in: `{"ChildId":"333333333333"}`, code: "ChildNotFoundException"},
		{op: "ListPoliciesForTarget", in: `{` + scp + `,"MaxResults":1}`, keep: "more=NextToken full=Id"},
		{op: "ListPoliciesForTarget", in: `{` + scp + `,"MaxResults":1,"NextToken":"$more"}`, keep: "guard=Id"},
		{op: "ListPoliciesForTarget", in: `{"TargetId":"333333333333","Filter":"SERVICE_CONTROL_POLICY"}`, code: "TargetNotFoundException"},
		{op: "DescribePolicy", in: `{"PolicyId":"$guard"}`},
		{op: "DescribePolicy", in: `{"PolicyId":"$full"}`},
		{op: "DescribePolicy", in: `{"PolicyId":"p-00000000"}`, code: "PolicyNotFoundException"},
		{op: "ListTagsForResource", in: `{"ResourceId":"111111111111"}`},
		{op: "ListTagsForResource", in: `{"ResourceId":"333333333333"}`, code: "TargetNotFoundException"},
	})
}

func healthSteps() []step {
	const none = `"arn:aws:health:us-east-1::event/CODEPIPELINE/AWS_CODEPIPELINE_OPERATIONAL_ISSUE/none"`
	return named("health", []step{
		{op: "DescribeEvents", in: `{}`, code: "SubscriptionRequiredException"},
		{op: "DescribeEventDetails", in: `{"eventArns":[` + none + `]}`, code: "SubscriptionRequiredException"},
		{op: "DescribeAffectedEntities", in: `{"filter":{"eventArns":[` + none + `]}}`, code: "SubscriptionRequiredException"},
		{act: func(d *driver) error {
			var err error
			d.lab.Cloud.Within(func() {
				err = d.lab.Health.SetPlan(account, "business")
				d.vars["event"] = d.lab.Health.Report(health.Event{Service: "CODEPIPELINE", Region: region, Status: "open", Text: "Pipelines wait.",
					Affected: []string{"arn:aws:codepipeline:us-east-1:111111111111:web"}})
				d.lab.Health.Report(health.Event{Service: "IAM", Region: region, Status: "closed", Text: "It was slow."})
			})
			return err
		}},
		{op: "DescribeEvents", in: `{"filter":{"services":["CODEPIPELINE"],"regions":["us-east-1"],"eventStatusCodes":["open"],"lastUpdatedTimes":[{"from":1577836800}]},"maxResults":10}`},
		{op: "DescribeEvents", in: `{}`},
		{op: "DescribeEvents", in: `{"nextToken":"none"}`, code: "InvalidPaginationToken"},
		{op: "DescribeEventDetails", in: `{"eventArns":["$event",` + none + `]}`},
		{op: "DescribeEventDetails", in: `{"eventArns":[]}`, code: "ValidationException"},
		{op: "DescribeAffectedEntities", in: `{"filter":{"eventArns":["$event"]}}`},
		{op: "DescribeAffectedEntities", in: `{"filter":{"eventArns":[]}}`, code: "ValidationException"},
	})
}

// buildSteps stand after those of the pipelines: the project web is named by one that is deleted by then, so that it is stated.
func buildSteps() []step {
	return named("codebuild", []step{
		{act: (*driver).build},
		{op: "ListProjects", in: `{}`},
		{op: "ListProjects", in: `{"nextToken":"no token of mine"}`, code: "InvalidInputException"},
		{op: "BatchGetProjects", in: `{"names":["web","none"]}`},
		{op: "BatchGetProjects", in: `{"names":[]}`, code: "InvalidInputException"},
		{op: "ListBuildsForProject", in: `{"projectName":"web"}`},
		{op: "ListBuildsForProject", in: `{"projectName":"none"}`, code: "ResourceNotFoundException"},
		{op: "BatchGetBuilds", in: `{"ids":["$build","$denied","web:none"]}`},
		{op: "BatchGetBuilds", in: `{"ids":[]}`, code: "InvalidInputException"},
	})
}

func analyzerSteps() []step {
	const (
		star   = `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"iam:PassRole\",\"codepipeline:Guess\"],\"Resource\":\"*\"}]}`
		get    = `"policyDocument":"` + allow + `","policyType":"IDENTITY_POLICY"`
		sooner = `"existingPolicyDocument":"` + allow + `","policyType":"IDENTITY_POLICY"`
	)
	return named("access-analyzer", []step{
		{act: func(d *driver) error {
			var err error
			d.lab.Cloud.Within(func() { err = d.lab.Analyzer.AddAnalyzer(account, region, "outside") })
			return err
		}},
		{op: "ListAnalyzers", in: `{}`, keep: "analyzer=arn"},
		{op: "ListAnalyzers", in: `{"type":"NONE"}`, code: "ValidationException"},
		{act: func(d *driver) error {
			var err error
			d.lab.Cloud.Within(func() {
				_, err = d.lab.IAM.CreateRole(account, "lent", "/", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:root"},"Action":"sts:AssumeRole"}}`)
			})
			return err
		}},
		{op: "ListFindingsV2", in: `{"analyzerArn":"$analyzer","filter":{"status":{"eq":["ACTIVE"]}}}`},
		{op: "ListFindingsV2", in: `{"analyzerArn":"arn:aws:access-analyzer:us-east-1:111111111111:analyzer/none"}`, code: "ResourceNotFoundException"},
		{op: "ValidatePolicy", in: `{"policyDocument":"` + star + `","policyType":"IDENTITY_POLICY"}`},
		{op: "ValidatePolicy", in: `{"policyDocument":"{","policyType":"IDENTITY_POLICY"}`},
		{op: "ValidatePolicy", in: `{"policyDocument":"{","policyType":"NO_POLICY"}`, code: "ValidationException"},
		{op: "CheckNoNewAccess", in: `{"newPolicyDocument":"` + star + `",` + sooner + `}`},
		{op: "CheckNoNewAccess", in: `{"newPolicyDocument":"` + allow + `",` + sooner + `}`},
		{op: "CheckNoNewAccess", in: `{"newPolicyDocument":"{",` + sooner + `}`, code: "UnprocessableEntityException"},
		{op: "CheckAccessNotGranted", in: `{` + get + `,"access":[{"actions":["s3:GetObject"]}]}`},
		{op: "CheckAccessNotGranted", in: `{` + get + `,"access":[]}`, code: "ValidationException"},
	})
}

// build runs a project twice: once from an artifact, once through a connection that its role must not use.
func (d *driver) build() error {
	d.lab.Cloud.Within(func() {
		d.lab.Builds.SetProject(codebuild.Project{Account: account, Region: region, Name: "web", VPC: "vpc-01234567", Subnets: []string{"subnet-01234567"}, Groups: []string{"sg-01234567"}})
		d.vars["build"], _ = d.lab.Builds.Build(account, region, "web", "", "")
		d.vars["denied"], _ = d.lab.Builds.Build(account, region, "web", d.vars["codeconnections"], "acme/web")
	})
	return nil
}
