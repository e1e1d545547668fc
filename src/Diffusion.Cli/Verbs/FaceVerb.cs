using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Restoring;
using Diffusion.Cli.Shell;
using Diffusion.Faces;
using Diffusion.Imaging;
using Diffusion.Pipeline;
using Diffusion.Runtime;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion face</c>: photographs in, the same photographs with restored faces out.</summary>
internal sealed class FaceVerb : Verb
{
    private const string Pattern = "{name}_face.png",
        Extension = ".png";

    private readonly Argument<string[]> _inputs;
    private readonly FaceOptions _faces;
    private readonly OutputOptions _output;
    private readonly Option<string?> _reference;
    private readonly Option<bool> _sheet;
    private readonly ExecutionOptions _execution;
    private readonly JobOptions _job;

    public FaceVerb()
        : base("face", "Restore the faces of whole photographs, and nothing else in them")
    {
        _inputs = Take(
            new Argument<string[]>("photo")
            {
                HelpName = "PHOTO...",
                Description = "Photographs: files, folders, globs, or - for standard input",
                Arity = ArgumentArity.OneOrMore,
            }
        );
        _faces = new FaceOptions().AddTo(this);
        _output = new OutputOptions().AddTo(this);
        _reference = Take(
            new Option<string?>("--reference")
            {
                HelpName = "PATH",
                Description = "The original, or a folder of them: tells the identity distance to it before and after",
            }
        );
        _sheet = Take(new Option<bool>("--sheet") { Description = "Write the faces before and after beside the output" });
        _execution = new ExecutionOptions().AddTo(this);
        _job = new JobOptions().AddTo(this);
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion face album/group.png --scale 2 -o group_restored.png",
            "diffusion face album/ --model zero-shot -o restored/ --resume --sheet",
        ];

    public override ExitCode Run(Session session)
    {
        FaceWay way = new(session, _faces, _execution);
        string[] words = session.Get(_inputs);
        bool several = _job.IsOneOfSeveralRuns(session),
            overwrite = session.Get(_output.Force) || session.Get(_job.Resume),
            sheet = session.Get(_sheet);
        string? output = session.Get(_output.Output);
        string[] inputs = [.. InputFiles.Expand(words).Where(file => words.Contains(file) || !RestoredFiles.IsResult(file))];
        if (several)
            inputs = [.. OutputPlan.WithoutResults(inputs, words, output, Pattern, Extension)];
        if (inputs.Length == 0)
            throw new ImageException("There are only restored pictures", words[0], "Name those that are to be restored again");
        References references = new(session.Get(_reference), inputs);
        string[] clean = [.. inputs.Select(references.For).OfType<string>()];
        OutputPlan plan = OutputPlan.Make(inputs, output, Pattern, Extension, overwrite, several, clean);
        bool stream = plan.Paths.Contains(OutputPlan.StandardOutput);
        if (stream && (sheet || session.Terminal.Json))
            throw new UsageException(
                "Only the picture goes to standard output",
                "-o -",
                "Leave --sheet and --json out, or write the picture to a file"
            );
        FileJob files = JobConsole.Watched(
            session,
            [.. inputs.Zip(plan.Paths, (input, path) => new JobItem(input, path, () => way.SettingsOf(input)))],
            session.Get(_job.Shard),
            session.Get(_job.Resume) ? item => JobRecord.IsComplete(item) : null
        );
        string[] made = [.. files.Items.Select(item => item.Output)];
        if (!stream)
            OutputPlan.CheckFree([.. made, .. sheet ? made.Select(FaceJob.SheetFor) : []], [.. inputs, .. clean], overwrite);
        JobConsole.TellComplete(session, files);
        if (files.Todo.Count == 0)
            return ExitCode.Done;
        return UsageException.GuardArguments(() =>
        {
            using FaceRestorer restorer = way.Open(RestoreSettings.Policy(session, _execution));
            new FaceJob(files, restorer)
            {
                Overwrite = overwrite,
                Sheets = sheet,
                ReferenceFor = references.For,
                Watch = (item, restore) => session.Terminal.WithProgress(Path.GetFileName(item.Input), restore),
                Noted = (item, note) => session.Terminal.Say($"{item.Input}: {note}."),
                Done = (item, photo) => Tell(session, item, photo),
            }.Run();
            return JobConsole.Finish(session, files);
        });
    }

    private static void Tell(Session session, JobItem item, RestoredPhoto photo)
    {
        string far = string.Join(", ", photo.Faces.Select(face => FormattableString.Invariant($"{face.Identity:0.00}")));
        string line =
            $"{item.Input} -> {item.Output}: {photo.Faces.Count} {(photo.Faces.Count == 1 ? "face" : "faces")} by {photo.Faces[0].Method}, "
            + $"identity distance {far}";
        if (session.Terminal.Json)
            session.Terminal.PrintJson(
                new JsonObject
                {
                    ["input"] = item.Input,
                    ["output"] = item.Output,
                    ["faces"] = new JsonArray([.. photo.Faces.Select(face => face.ToJson())]),
                }
            );
        else if (item.Output == OutputPlan.StandardOutput)
            session.Terminal.Say(line);
        else
            session.Terminal.Print(line);
    }
}
