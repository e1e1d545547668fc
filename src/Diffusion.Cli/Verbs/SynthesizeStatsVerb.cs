using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Synthesis;
using Diffusion.Synthesis.Intensities;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion synthesize stats</c>: how strong degradations are in pairs of one's own, as a table to draw from.</summary>
internal sealed class SynthesizeStatsVerb : Verb
{
    private readonly Argument<string[]> _folders;
    private readonly Option<DegradationKind[]?> _kind;
    private readonly Option<string?> _output;
    private readonly Option<bool> _force;

    public SynthesizeStatsVerb()
        : base("stats", "Measure pairs of your own into a table that --intensity stats:FILE draws from")
    {
        _folders = Take(
            new Argument<string[]>("pairs")
            {
                HelpName = "PAIRS...",
                Description = "Folders with clean/NAME and degraded/NAME, or with NAME-clean and NAME-degraded; each is a data set",
                Arity = ArgumentArity.OneOrMore,
            }
        );
        _kind = Take(
            new Option<DegradationKind[]?>("--degradation", "-d")
            {
                HelpName = "KIND",
                Description = $"What they are degraded by: {string.Join(", ", DegradationKinds.Names)}",
                CustomParser = SynthesisOptions.ReadKinds,
            }
        );
        _output = Take(new Option<string?>("--output", "-o") { HelpName = "FILE", Description = "The table" });
        _force = Take(new Option<bool>("--force") { Description = "Overwrite an existing table" });
    }

    public override IReadOnlyList<string> Examples => ["diffusion synthesize stats pairs/ --degradation haze -o mine.json"];

    public override ExitCode Run(Session session)
    {
        if (session.Get(_kind) is not [var kind])
            throw new UsageException("--degradation is missing", "diffusion synthesize stats", "Name the one that the pairs show");
        string output = session.Get(_output)
            ?? throw new UsageException("-o is missing", "diffusion synthesize stats", "Name the table's file");
        if (File.Exists(output) && !session.Get(_force))
            throw new UsageException("The table exists already", output, "Pass --force to overwrite it");
        string[] folders = session.Get(_folders);
        PairStatistics statistics = new();
        foreach (string folder in folders)
        {
            string name = Path.GetFileName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar));
            foreach ((string clean, string degraded) in PicturePairs.Find(folder))
            {
                session.Cancellation.ThrowIfCancellationRequested();
                statistics.Add(kind, name, clean, degraded);
            }
        }
        byte[] table = Encoding.UTF8.GetBytes(
            statistics.ToTable($"{statistics.Count} pairs measured by diffusion synthesize stats").ToJson()
        );
        OutputFile.Write(output, true, stream => stream.Write(table));
        foreach ((DegradationKind shown, string dataset, int pairs, Intensity mean) in statistics.Summary)
            if (session.Terminal.Json)
                session.Terminal.PrintJson(
                    new JsonObject
                    {
                        ["degradation"] = DegradationKinds.NameOf(shown),
                        ["dataset"] = dataset,
                        ["pairs"] = pairs,
                        ["mu"] = mean.Mu,
                        ["sigma"] = mean.Sigma,
                    }
                );
            else
                session.Terminal.Print(
                    FormattableString.Invariant(
                        $"{DegradationKinds.NameOf(shown)} {dataset}: {pairs} pairs, mean mu {mean.Mu:0.000}, sigma {mean.Sigma:0.000}"
                    )
                );
        return ExitCode.Done;
    }
}
