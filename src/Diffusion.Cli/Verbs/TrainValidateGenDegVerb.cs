using System.CommandLine;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Evaluation;
using Diffusion.Imaging;
using Diffusion.Pipeline;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.DataSets;
using Diffusion.Synthesis.Intensities;
using Diffusion.Training;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion train validate-gendeg</c>: compares generators of degradations.</summary>
internal sealed class TrainValidateGenDegVerb : Verb
{
    private const string Here = "diffusion train validate-gendeg",
        Pattern = "NAME|FOLDER[:KEY=VALUE,...]";
    private readonly Argument<string[]> _photos;
    private readonly Option<string?> _output;
    private readonly Option<string[]> _generators,
        _real;
    private readonly Option<DegradationKind[]?> _kinds;
    private readonly Option<string> _intensity;
    private readonly Option<int> _draws,
        _sheet;
    private readonly Option<ulong> _seed;

    public TrainValidateGenDegVerb()
        : base(
            "validate-gendeg",
            "Degrade clean pictures by several generators: intensities met, layouts, edges, and with --real how like reality they are"
        )
    {
        _photos = Take(
            new Argument<string[]>("photos")
            {
                HelpName = "CLEAN...",
                Description = "Clean pictures that no generator was trained on: files, folders, globs",
                Arity = ArgumentArity.OneOrMore,
            }
        );
        _output = Take(new Option<string?>("--output", "-o") { HelpName = "DIR", Description = "Folder of tables, csv and sheets" });
        _generators = Take(
            new Option<string[]>("--generator")
            {
                HelpName = Pattern,
                Description =
                    "A generator with its settings, for example my-gendeg/model:fit=false; repeatable. The first is the reference",
                DefaultValueFactory = _ => [Generators.Rendered],
            }
        );
        _kinds = Take(
            new Option<DegradationKind[]?>("--degradation", "-d")
            {
                HelpName = "KIND[,KIND]",
                Description = $"Degradations: {string.Join(", ", DegradationKinds.Names)}, or all (all)",
                CustomParser = SynthesisOptions.ReadKinds,
            }
        );
        _intensity = Take(
            new Option<string>("--intensity")
            {
                HelpName = "INTENSITY",
                Description = "As for synthesize",
                DefaultValueFactory = _ => IntensitySource.PublishedName,
            }
        );
        _draws = Take(
            new Option<int>("--draws")
            {
                HelpName = "N",
                Description = "Intensities of each picture and degradation",
                DefaultValueFactory = _ => 1,
            }
        );
        _sheet = Take(
            new Option<int>("--sheet")
            {
                HelpName = "N",
                Description = "Pictures on each degradation's sheet",
                DefaultValueFactory = _ => 4,
            }
        );
        _real = Take(
            new Option<string[]>("--real")
            {
                HelpName = "PAIRS",
                Description =
                    "Folders of real pairs, as for train gendeg: can they be told from made ones? (two-sample test, scene by scene)",
                DefaultValueFactory = _ => [],
                AllowMultipleArgumentsPerToken = true,
            }
        );
        _seed = Take(
            new Option<ulong>("--seed")
            {
                HelpName = "N",
                Description = "Seed of all that is random",
                CustomParser = Values.Seed,
                DefaultValueFactory = _ => 0UL,
            }
        );
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion train validate-gendeg photos/ -o comparison/ --degradation haze --generator rendered",
            "diffusion train validate-gendeg photos/ -o mine/ --generator rendered --generator my-gendeg/model --real pairs/",
        ];

    public override ExitCode Run(Session session)
    {
        string folder = session.Get(_output) ?? throw new UsageException("-o is missing", Here, "Name a folder for tables and sheets");
        IntensitySource intensity = UsageException.Guard(() => IntensitySource.Parse(session.Get(_intensity)!));
        DegradationKind[] kinds = session.Get(_kinds) is { Length: > 0 } given ? given : Enum.GetValues<DegradationKind>();
        List<(string Name, IDegradationGenerator Generator)> generators = [];
        try
        {
            foreach (string text in session.Get(_generators)!)
                generators.Add((text, UsageException.Guard(() => Open(text))));
            IReadOnlyList<string> files = InputFiles.Expand(session.Get(_photos)!);
            Directory.CreateDirectory(folder);
            Compare(session, folder, files, kinds, new GeneratorComparison(generators, intensity, session.Get(_seed)));
            if (session.Get(_real) is { Length: > 0 } real)
                Test(session, folder, real, kinds, generators);
            return ExitCode.Done;
        }
        finally
        {
            generators.ForEach(one => one.Generator.Dispose());
        }
    }

    private void Compare(
        Session session,
        string folder,
        IReadOnlyList<string> files,
        DegradationKind[] kinds,
        GeneratorComparison comparison
    )
    {
        int draws = session.Get(_draws),
            total = kinds.Length * files.Count * draws,
            done = 0;
        List<GeneratorScore> scores = [];
        session.Terminal.WithProgress("generating", report =>
        {
            foreach (DegradationKind kind in kinds)
            {
                using ComputeScope scope = new();
                List<SheetPanel> panels = [];
                foreach ((int i, string file) in files.Index())
                {
                    using Picture picture = ImageFile.Read(file);
                    Tensor clean = Color.ToRgb(picture.Pixels);
                    for (int draw = 0; draw < draws; draw++)
                    {
                        bool shown = draw == 0 && i < session.Get(_sheet);
                        if (shown)
                            panels.Add(new("clean", clean.clone()));
                        scores.AddRange(
                            comparison.Measure(Path.GetFileName(file), clean, kind, draw, shown ? Seen : null, session.Cancellation)
                        );
                        report(++done / (double)total);
                    }
                }
                if (panels.Count > 0)
                    Sheet.Write(
                        Path.Combine(folder, DegradationKinds.NameOf(kind) + ".png"),
                        panels,
                        new SheetOptions { Columns = 1 + scores.Select(score => score.Generator).Distinct().Count() }
                    );

                void Seen(GeneratorScore score, Tensor degraded) =>
                    panels.Add(
                        new(
                            score.Generator + FormattableString.Invariant($"\nmu {score.Got.Mu:0.000}, sigma {score.Got.Sigma:0.000}"),
                            degraded.clone().DetachFromDisposeScope()
                        )
                    );
            }
        });
        string table = GeneratorTable.Markdown(scores);
        File.WriteAllText(Path.Combine(folder, "generators.md"), table);
        File.WriteAllText(Path.Combine(folder, "generators.csv"), GeneratorTable.Csv(scores));
        session.Terminal.Print(table.TrimEnd());
    }

    private void Test(
        Session session,
        string folder,
        string[] real,
        DegradationKind[] kinds,
        IReadOnlyList<(string Name, IDegradationGenerator Generator)> generators
    )
    {
        IReadOnlyList<TrainingPair> pairs = TrainingPair.Read(PairFolders.Find(real));
        List<(DegradationKind, string, TwoSampleResult)> rows = [];
        foreach (DegradationKind kind in kinds)
        {
            TrainingPair[] ofKind = [.. pairs.Where(pair => pair.File.Kind == kind)];
            if (ofKind.Select(pair => pair.File.Scene).Distinct().Count() < 3)
            {
                if (ofKind.Length > 0)
                    session.Terminal.Warn($"The pairs of {DegradationKinds.NameOf(kind)} are of fewer than 3 scenes: no test.");
                continue;
            }
            rows.AddRange(
                RealityTest
                    .Run(ofKind, generators, session.Get(_seed), session.Cancellation)
                    .Select(one => (kind, one.Generator, one.Result))
            );
        }
        string table = RealityTest.Markdown(rows);
        File.WriteAllText(Path.Combine(folder, "reality.md"), table);
        session.Terminal.Print(table.TrimEnd());
    }

    private static IDegradationGenerator Open(string text)
    {
        string[] parts = text.Split(':', 2);
        Dictionary<string, string> set = new(StringComparer.OrdinalIgnoreCase);
        foreach (string pair in parts.Length == 1 ? [] : parts[1].Split(','))
            set[pair.Split('=', 2)[0]] = pair.Split('=', 2) is [_, var value]
                ? value
                : throw new UsageException($"\"{pair}\" is no setting", "--generator", $"Write {Pattern}");
        return Generators.Open(parts[0], new GeneratorOptions { Set = set });
    }
}
