using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Cli.Diagnosis;
using Diffusion.Cli.Shell;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion doctor</c>: one screenful about this installation, and the remedy for whatever is wrong.</summary>
internal sealed class DoctorVerb : Verb
{
    private readonly Option<bool> _measure;

    public DoctorVerb()
        : base("doctor", "Show versions, libraries, features and priors, and the remedy for whatever is wrong")
    {
        _measure = Take(new Option<bool>("--measure") { Description = "Time fp32 and bf16 convolutions and remember the faster one" });
    }

    public override IReadOnlyList<string> Examples => ["diffusion doctor", "diffusion doctor --measure", "diffusion doctor --json"];

    public override ExitCode Run(Session session)
    {
        List<Finding> findings = [.. MachineReport.Findings(), .. NativeReport.Findings(), .. PriorReport.Findings()];
        bool broken = findings.Any(finding => finding.IsFault);
        if (session.Get(_measure) && !broken)
            findings.Add(Measured(ConvolutionSpeed.Measure()));
        else if (ConvolutionSpeed.Stored() is { } verdict)
            findings.Add(Measured(verdict));
        foreach (Finding finding in findings)
            Print(session.Terminal, finding);
        if (!session.Terminal.Json)
            session.Terminal.Print(broken ? "Something is wrong; see the remedies above." : "All is well.");
        return broken ? ExitCode.Data : ExitCode.Done;
    }

    private static Finding Measured(ConvolutionSpeed.Verdict verdict) =>
        new(
            "convolutions",
            FormattableString.Invariant(
                $"fp32 {verdict.Float32:0} GFLOP/s, bf16 {verdict.Bfloat16:0} GFLOP/s: --dtype auto takes {verdict.Dtype}"
            )
        );

    private static void Print(Terminal terminal, Finding finding)
    {
        if (terminal.Json)
        {
            terminal.PrintJson(
                new JsonObject
                {
                    ["topic"] = finding.Topic,
                    ["value"] = finding.Value,
                    ["remedy"] = finding.Remedy,
                    ["fault"] = finding.IsFault,
                }
            );
            return;
        }
        terminal.Print($"{finding.Topic, -14} {finding.Value}");
        if (finding.Remedy is not null)
            terminal.Print($"{"", -14} -> {finding.Remedy}.");
    }
}
