using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Cli.Shell;
using Diffusion.Synthesis.DataSets;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion synthesize verify</c>: proves a set whole.</summary>
internal sealed class SynthesizeVerifyVerb : Verb
{
    private readonly Argument<string> _folder;

    public SynthesizeVerifyVerb()
        : base("verify", "Prove a set whole: no sample missing, twice or half written, nothing changed since")
    {
        _folder = Take(new Argument<string>("set") { HelpName = "OUT", Description = "The set's folder" });
    }

    public override IReadOnlyList<string> Examples => ["diffusion synthesize verify rainy/"];

    public override ExitCode Run(Session session)
    {
        string folder = session.Get(_folder);
        SetVerification? found = null;
        session.Terminal.WithProgress("files", report =>
            found = SetVerification.Of(folder, (done, total) => report((double)done / total), session.Cancellation)
        );
        SetVerification set = found!;
        foreach (IReadOnlyList<string> same in set.Duplicates)
            session.Terminal.Warn($"{string.Join(" and ", same)} hold the same picture.");
        if (session.Terminal.Json)
            session.Terminal.PrintJson(
                new JsonObject
                {
                    ["set"] = folder,
                    ["samples"] = set.Samples,
                    ["whole"] = set.Problems.Count == 0,
                    ["problems"] = new JsonArray([.. set.Problems.Select(problem => (JsonNode)problem)]),
                    ["duplicates"] = new JsonArray([
                        .. set.Duplicates.Select(same => (JsonNode)new JsonArray([.. same.Select(id => (JsonNode)id)])),
                    ]),
                }
            );
        else
            foreach (string problem in set.Problems)
                session.Terminal.Print(problem + ".");
        if (set.Problems.Count == 0)
        {
            if (!session.Terminal.Json)
                session.Terminal.Print($"{folder}: whole, {set.Samples} samples.");
            return ExitCode.Done;
        }
        session.Terminal.Fail(
            new Failure(
                ExitCode.Data,
                $"The set is not whole: {set.Problems.Count} {(set.Problems.Count == 1 ? "thing is" : "things are")} wrong ({folder}). "
                    + "Run synthesize again with --resume and the set's own options."
            )
        );
        return ExitCode.Data;
    }
}
