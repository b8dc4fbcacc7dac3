package op

func writes() []Op {
	transition := func(name, undo, says string) Op {
		return Op{
			Service: "codepipeline", Name: name, Actions: []string{"codepipeline:" + name}, Resource: pipelineARN, Write: true, Repeat: Safe,
			Undo: func(in Input) (string, string, Input) {
				u := Input{"pipelineName": in["pipelineName"], "stageName": in["stageName"], "transitionType": in["transitionType"]}
				if undo == "DisableStageTransition" {
					u["reason"] = "put back by unjam as it was before" // the pattern knows no colon (API_DisableStageTransition)
				}
				return "codepipeline", undo, u
			},
			Says: func(in Input) string { return says + " " + in["pipelineName"] + "/" + in["stageName"] },
		}
	}
	disable := transition("DisableStageTransition", "EnableStageTransition", "stop runs from entering")
	disable.Disturbs = "runs wait before the stage until the transition is enabled again"
	enable := transition("EnableStageTransition", "DisableStageTransition", "let runs enter")
	enable.Releases = true
	enable.Disturbs = "the run that waits enters the stage at once"
	return append([]Op{
		{
			Service: "codepipeline", Name: "RetryStageExecution", Actions: []string{"codepipeline:RetryStageExecution"}, Resource: pipelineARN,
			Write: true, Repeat: Never, Implied: true,
			OneWay:   "a retry cannot be taken back: the stage runs, and what lies behind it follows",
			Disturbs: "every stage behind it runs with the newest commit of the branch",
			Says: func(in Input) string {
				return "retry the failed actions of " + in["pipelineName"] + "/" + in["stageName"]
			},
		},
		{
			Service: "codepipeline", Name: "StartPipelineExecution", Actions: []string{"codepipeline:StartPipelineExecution"}, Resource: pipelineARN,
			Write: true, Repeat: ByToken, Implied: true,
			OneWay:   "a started run cannot be taken back: it may deploy before it could be stopped",
			Disturbs: "every stage runs with the newest commit of the branch",
			Says:     func(in Input) string { return "start " + in["name"] },
		},
		disable,
		enable,
		{
			Service: "codepipeline", Name: "UpdatePipeline", Resource: pipelineARN, Write: true, Repeat: Never,
			Actions:  append([]string{"codepipeline:UpdatePipeline", "codepipeline:GetPipeline", "iam:PassRole"}, both("PassConnection")...),
			Says:     func(in Input) string { return "update the definition of " + in["name"] },
			Disturbs: "runs in flight fail, a failed stage can no longer be retried, and no run starts by itself",
			OneWay:   "without the patch that takes it back it cannot be undone",
		},
		{
			Service: "iam", Name: "PutRolePolicy", Actions: []string{"iam:PutRolePolicy"}, Resource: roleARN, Write: true, Repeat: Safe,
			Undo: func(in Input) (string, string, Input) {
				return "iam", "DeleteRolePolicy", Input{"RoleName": in["RoleName"], "PolicyName": in["PolicyName"]}
			},
			Says: func(in Input) string {
				return "add the inline policy " + in["PolicyName"] + " to role " + in["RoleName"]
			},
			Disturbs: "everything that assumes the role may do what the policy grants",
		},
		{
			Service: "iam", Name: "DeleteRolePolicy", Actions: []string{"iam:DeleteRolePolicy"}, Resource: roleARN, Write: true, Repeat: Safe,
			Says: func(in Input) string {
				return "delete the inline policy " + in["PolicyName"] + " of role " + in["RoleName"]
			},
			Disturbs: "everything that assumes the role loses what the policy granted",
			OneWay:   "without the document that was saved before it cannot be undone",
		},
		writeTrust(),
		changeRecord(),
		{
			Service: "cloudwatch", Name: "PutMetricData", Actions: []string{"cloudwatch:PutMetricData"}, Resource: "*", Write: true, Repeat: Never, Implied: true,
			Says:   func(in Input) string { return "count the remediation in CloudWatch namespace " + in["Namespace"] },
			OneWay: "a data point cannot be taken back; it ages out",
		},
		{
			Service: "sns", Name: "Publish", Actions: []string{"sns:Publish"}, Resource: "*", Write: true, Repeat: Never, Implied: true,
			Says:   func(in Input) string { return "publish to " + in["TopicArn"] },
			OneWay: "a message cannot be taken back",
		},
	}, ruleWrites()...)
}
