using System.CommandLine;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Evaluation;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Training;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion train validate-restorer</c>: compares restorers on pairs of held-out scenes.</summary>
internal sealed class TrainValidateRestorerVerb : Verb
{
    private const string Here = "diffusion train validate-restorer";
    private readonly Argument<string[]> _pairs;
    private readonly Option<string?> _output;
    private readonly Option<string[]> _models;
    private readonly Option<int?> _holdOut;
    private readonly Option<bool> _all;

    public TrainValidateRestorerVerb()
        : base(
            "validate-restorer",
            "Restore pairs of the scenes that train restorer holds out: PSNR, SSIM, GMSD, mean and spread over seeds"
        )
    {
        _pairs = Take(
            new Argument<string[]>("pairs")
            {
                HelpName = "PAIRS...",
                Description = "Sets and folders of pairs, as for train restorer",
                Arity = ArgumentArity.OneOrMore,
            }
        );
        _output = Take(new Option<string?>("--output", "-o") { HelpName = "DIR", Description = "Folder of table and csv" });
        _models = Take(
            new Option<string[]>("--model")
            {
                HelpName = "[RECIPE=]MODEL",
                Description = "A restorer's folder, file or name; several of one recipe are its runs. Repeatable",
                DefaultValueFactory = _ => [],
            }
        );
        _holdOut = Take(
            new Option<int?>("--hold-out")
            {
                HelpName = "N",
                Description = "As for train restorer (12, or a quarter of few)",
                CustomParser = Values.AtLeast(1, "scenes"),
            }
        );
        _all = Take(new Option<bool>("--all") { Description = "All pairs: none of them was trained on" });
    }

    public override IReadOnlyList<string> Examples =>
        ["diffusion train validate-restorer pairs/ -o table/ --model real=my-restorer/a/model --model real=my-restorer/b/model"];

    public override ExitCode Run(Session session)
    {
        string folder = session.Get(_output) ?? throw new UsageException("-o is missing", Here, "Name a folder for the table");
        IReadOnlyList<PairFile> files = PairFolders.Find(session.Get(_pairs)!);
        IReadOnlyList<PairFile> held = session.Get(_all)
            ? files
            : UsageException.Guard(() => PairFile.HoldOut(files, session.Get(_holdOut)).Hold);
        if (held.Count == 0)
            throw new UsageException("No scene is held out of so few", Here, "Give more pairs, --hold-out, or --all");
        Directory.CreateDirectory(folder);
        IReadOnlyList<TrainingPair> pairs = TrainingPair.Read(held);
        List<RestorerScore> scores = [.. pairs.Select(pair => RestorerComparison.Measure(pair, null, RestorerComparison.Degraded, 0))];
        string[] models = session.Get(_models)!;
        Dictionary<string, int> runs = [];
        session.Terminal.WithProgress("restoring", report =>
        {
            foreach ((int i, string text) in models.Index())
            {
                string[] parts = text.Split('=', 2);
                string recipe = parts[0];
                using PictureNetwork network = PictureNetworkFile.Find(parts[^1]).Load(ComputePolicy.Choose());
                int run = runs[recipe] = runs.GetValueOrDefault(recipe) + 1;
                foreach ((int k, TrainingPair pair) in pairs.Index())
                {
                    session.Cancellation.ThrowIfCancellationRequested();
                    scores.Add(RestorerComparison.Measure(pair, network, recipe, run));
                    report((i + (k + 1.0) / pairs.Count) / models.Length);
                }
            }
        });
        string table = RestorerComparison.Markdown(scores);
        File.WriteAllText(Path.Combine(folder, "restorers.md"), table);
        File.WriteAllText(Path.Combine(folder, "restorers.csv"), RestorerComparison.Csv(scores));
        session.Terminal.Print(table.TrimEnd());
        return ExitCode.Done;
    }
}
