using System.CommandLine;
using System.Text.Json;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Evaluation;
using Diffusion.Imaging;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Training;
using Diffusion.ZeroShot;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion train validate-face</c>: compares restorers of aligned faces on clean ones that it degrades itself.</summary>
internal sealed class TrainValidateFaceVerb : Verb
{
    private const string Here = "diffusion train validate-face",
        Pattern = "NAME[:KEY=VALUE,...]";
    private const double ZeroShotNoise = 0.04;
    private readonly Argument<string[]> _faces;
    private readonly Option<string?> _output;
    private readonly Option<string[]> _models,
        _zeroShot;
    private readonly Option<int> _steps,
        _seeds,
        _sheet;
    private readonly Option<double> _lengths;
    private readonly ExecutionOptions _execution;

    public TrainValidateFaceVerb()
        : base("validate-face", "Degrade clean aligned faces with fixed seeds, restore them, and measure what became of them")
    {
        _faces = Take(
            new Argument<string[]>("faces")
            {
                HelpName = "FACE...",
                Description = "Clean aligned faces of one size: files, folders, globs",
                Arity = ArgumentArity.OneOrMore,
            }
        );
        _output = Take(new Option<string?>("--output", "-o") { HelpName = "DIR", Description = "Folder of table, csv and sheets" });
        _models = Take(
            new Option<string[]>("--model")
            {
                HelpName = Pattern,
                Description = "A method with its settings, for example face-small:tokens=false; repeatable",
                DefaultValueFactory = _ => ["face-small", "face-small:tokens=false"],
            }
        );
        _zeroShot = Take(
            new Option<string[]>("--zero-shot")
            {
                HelpName = "OPERATOR",
                Description = "Restore by the photo prior against this operator and noise of 0.04 too; repeatable",
                DefaultValueFactory = _ => ["identity", "blur:sigma=1", "blur:sigma=2"],
            }
        );
        _steps = Take(
            new Option<int>("--steps")
            {
                HelpName = "N",
                Description = "Evaluations of a zero-shot restoration",
                DefaultValueFactory = _ => 4,
            }
        );
        _seeds = Take(
            new Option<int>("--seeds")
            {
                HelpName = "N",
                Description = "Degradations of each face",
                DefaultValueFactory = _ => 1,
            }
        );
        _sheet = Take(
            new Option<int>("--sheet")
            {
                HelpName = "N",
                Description = "Faces on the sheet, a quarter of them those that the first model restores worst",
                DefaultValueFactory = _ => 12,
            }
        );
        _lengths = Take(
            new Option<double>("--lengths")
            {
                HelpName = "X",
                Description = "Blur and reduction of the recipe, which is for faces of 512 pixels, times X of the faces' share of it",
                DefaultValueFactory = _ => 1,
            }
        );
        _execution = new ExecutionOptions().AddTo(this);
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion train validate-face faces/ -o comparison/",
            "diffusion train validate-face faces/ -o mine/ --model face-small:model=my-face/model/my-face.safetensors",
        ];

    public override ExitCode Run(Session session)
    {
        string folder = session.Get(_output) ?? throw new UsageException("-o is missing", Here, "Name a folder for table and sheets");
        IReadOnlyList<string> files = InputFiles.Expand(session.Get(_faces));
        IReadOnlyList<TrainingPhoto> photos = TrainingPhotos.Read(files);
        int side = photos[0].Width;
        Directory.CreateDirectory(folder);
        List<RestorationRunner> opened = [];
        try
        {
            FaceContender[] contenders = [.. FaceContender.Baselines, .. Methods(session, opened)];
            using FaceComparison comparison = new(new FaceDegradation().ForSide(side).Scaled(session.Get(_lengths)));
            List<FaceScore> scores = [];
            Dictionary<string, List<SheetPanel>> panels = [];
            int total = photos.Count * session.Get(_seeds);
            session.Terminal.WithProgress("restoring", report =>
            {
                for (int job = 0; job < total; job++)
                {
                    session.Cancellation.ThrowIfCancellationRequested();
                    TrainingPhoto photo = photos[job % photos.Count];
                    using Tensor clean = UsageException.Guard(() => FaceSource.Face(photo, side));
                    bool shown = job < photos.Count;
                    List<SheetPanel> row = [];
                    scores.AddRange(
                        comparison.Measure(photo.Name, clean, job % photos.Count, (ulong)(job / photos.Count), contenders, Seen)
                    );
                    if (shown)
                        panels[photo.Name] = [.. row, new SheetPanel("original", clean.clone())];
                    report((job + 1.0) / total);

                    void Seen(FaceScore score, Tensor restored)
                    {
                        if (shown)
                            row.Add(
                                new SheetPanel(
                                    $"{score.Contender}\n" + FormattableString.Invariant($"{score.Psnr:0.0} dB, id {score.Identity:0.00}"),
                                    restored.clone().DetachFromDisposeScope()
                                )
                            );
                    }
                }
            });
            string table = FaceTable.Markdown(scores);
            File.WriteAllText(Path.Combine(folder, "faces.md"), table);
            File.WriteAllText(Path.Combine(folder, "faces.csv"), FaceTable.Csv(scores));
            File.WriteAllText(
                Path.Combine(folder, "faces.json"),
                FaceTable.Json(scores).ToJsonString(new JsonSerializerOptions { WriteIndented = true, IndentSize = 1 }) + "\n"
            );
            Draw(Path.Combine(folder, "faces.png"), scores, contenders, panels, session.Get(_sheet));
            session.Terminal.Print(table.TrimEnd());
            return ExitCode.Done;
        }
        finally
        {
            opened.ForEach(runner => runner.Dispose());
        }
    }

    private IEnumerable<FaceContender> Methods(Session session, List<RestorationRunner> opened)
    {
        ComputePolicy policy = RestoreSettings.Policy(session, _execution);
        MethodCatalog catalog = MethodCatalog.With();
        foreach (string text in session.Get(_models) ?? [])
        {
            string[] parts = text.Split(':', 2);
            Dictionary<string, string> set = new(StringComparer.OrdinalIgnoreCase);
            foreach (string pair in parts.Length == 1 ? [] : parts[1].Split(','))
                set[pair.Split('=', 2)[0]] = pair.Split('=', 2) is [_, var value]
                    ? value
                    : throw new UsageException($"\"{pair}\" is no setting", "--model", $"Write {Pattern}");
            IRestorationMethod method = UsageException.Guard(() => catalog.Find(parts[0]).Create(set));
            opened.Add(new RestorationRunner(method, new RunOptions { Policy = policy }));
            yield return FaceContender.By(text, opened[^1]);
        }
        foreach (string text in session.Get(_zeroShot) ?? [])
        {
            RestoreOptions options = new()
            {
                Operator = text,
                Noise = ZeroShotNoise,
                Steps = session.Get(_steps),
                Policy = policy,
            };
            opened.Add(new RestorationRunner(UsageException.Guard(() => new ZeroShotMethod(options)), options));
            yield return FaceContender.By($"zero-shot {text}", opened[^1]);
        }
    }

    private static void Draw(
        string path,
        List<FaceScore> scores,
        FaceContender[] contenders,
        Dictionary<string, List<SheetPanel>> panels,
        int count
    )
    {
        string judged = contenders[Math.Min(FaceContender.Baselines.Count, contenders.Length - 1)].Name;
        string[] worst =
        [
            .. scores
                .Where(score => score.Contender == judged && score.Seed == 0 && panels.ContainsKey(score.Face))
                .OrderByDescending(score => score.Identity)
                .Select(score => score.Face)
                .Distinct()
                .Take((count + 3) / 4),
        ];
        string[] others = [.. panels.Keys.Except(worst)];
        int rest = Math.Min(Math.Max(0, count - worst.Length), others.Length);
        string[] shown = [.. worst, .. Enumerable.Range(0, rest).Select(i => others[i * others.Length / rest])];
        if (shown.Length == 0)
            return;
        Sheet.Write(path, [.. shown.SelectMany(name => panels[name])], new SheetOptions { Columns = contenders.Length + 1 });
    }
}
