using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Cli.Files;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion degrade</c>: measurements from clean pictures, with the side file that <c>restore</c> reads.</summary>
internal sealed class DegradeVerb : Verb
{
    private readonly Argument<string[]> _inputs;
    private readonly ProblemOptions _problem;
    private readonly OutputOptions _output;
    private readonly Option<ulong> _seed;
    private readonly Option<bool> _clip;

    public DegradeVerb()
        : base("degrade", "Make measurements from clean images, with a side file that restore reads")
    {
        _inputs = Take(
            new Argument<string[]>("input")
            {
                HelpName = "INPUT...",
                Description = "Pictures: files, folders, globs, or - for standard input",
                Arity = ArgumentArity.OneOrMore,
            }
        );
        _problem = new ProblemOptions().AddTo(this);
        _output = new OutputOptions().AddTo(this);
        _seed = Take(
            new Option<ulong>("--seed")
            {
                HelpName = "N",
                Description = "Seed of the noise",
                CustomParser = Values.Seed,
                DefaultValueFactory = _ => 0UL,
            }
        );
        _clip = Take(new Option<bool>("--clip") { Description = "Clip to [0,1] and quantise, as a camera would" });
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion degrade photo.png -A \"downsample:factor=4\" --noise 0.02 -o small.tif",
            "diffusion degrade photos/ -A \"blur:sigma=2\" --noise 5/255 -o blurred/",
            "diffusion degrade photo.png -A \"mask:random=0.8,seed=1\" --noise 0.02 -o holes.png",
        ];

    public override ExitCode Run(Session session)
    {
        var (operators, _, _) = RestoreSettings.Catalogs(session, _problem);
        OperatorSpec spec = RestoreSettings.Operator(session, _problem, operators)
            ?? throw new UsageException(
                "-A SPEC is missing",
                "diffusion degrade",
                "Say how to degrade, for example -A \"downsample:factor=4\""
            );
        if (session.Get(_problem.ResizeMask))
            spec = ResizedMask.Allow(spec);
        double noise = session.Get(_problem.Noise)
            ?? throw new UsageException(
                "--noise is missing",
                "diffusion degrade",
                "Give its standard deviation on the [0,1] scale; 0 for none"
            );
        if (double.IsNaN(noise))
            throw new UsageException("--noise auto is for restore", "diffusion degrade", "Give a number");
        string output = session.Get(_output.Output)
            ?? throw new UsageException("-o is missing", "diffusion degrade", "Name a file or a folder");
        IReadOnlyList<string> inputs = InputFiles.Expand(session.Get(_inputs));
        bool toStream = output == OutputPlan.StandardOutput;
        // What is no picture needs .npz: that is known before anything is computed.
        string extension = MakesPictures(spec)
            ? session.Get(_clip)
                ? ".png"
                : ".tif"
            : ".npz";
        OutputPlan plan = OutputPlan.Make(inputs, output, "{name}_degraded" + extension, extension, session.Get(_output.Force));
        // NAME.json belongs to one measurement: that of NAME.png does not become that of NAME.tif.
        if (!toStream)
            OutputPlan.CheckFree([.. plan.Paths.Select(SideFile.PathFor)], inputs, session.Get(_output.Force));
        Degrader degrader = new(spec, noise, session.Get(_seed)) { CropToFit = session.Get(_problem.CropToFit) };
        foreach (string note in spec.Notes())
            session.Terminal.Say($"{note}.");
        FileQueue queue = new(session);
        return queue.Run(inputs, (input, index) =>
        {
            using Picture picture = ImageFile.Read(input);
            foreach (string note in picture.Notes)
                session.Terminal.Say($"{input}: {note}.");
            using DegradedPicture degraded = degrader.Degrade(picture, input == InputFiles.StandardInput ? null : FileHash.Sha256(input));
            if (toStream)
            {
                if (degraded.Measurement.Shape is null)
                    throw new ImageException(
                        $"A measurement of {string.Join("x", degraded.Measurement.Y.shape[1..])} values is no picture",
                        input,
                        "Write it to a file with -o NAME.npz"
                    );
                using Stream stdout = Console.OpenStandardOutput();
                ImageFile.Write(
                    stdout,
                    degraded.Measurement.Y,
                    ImageFormat.Tiff,
                    new WriteOptions { BitDepth = session.Get(_clip) ? 8 : 32 },
                    degraded.Measurement.Alpha
                );
                return;
            }
            MeasurementFile.Write(plan.Paths[index], degraded, session.Get(_clip), session.Get(_output.Force));
            if (session.Terminal.Json)
                session.Terminal.PrintJson(
                    new JsonObject
                    {
                        ["input"] = input,
                        ["output"] = plan.Paths[index],
                        ["operator"] = spec.ToString(),
                        ["noise"] = noise,
                        ["seed"] = degrader.Seed,
                    }
                );
            else
                session.Terminal.Say($"{input} -> {plan.Paths[index]}");
        });
    }

    private static bool MakesPictures(OperatorSpec spec)
    {
        const int Probe = 240;
        try
        {
            using LinearOperator a = spec.Bind(new ImageShape(3, Probe, Probe));
            return a.Output.IsImage;
        }
        catch (OperatorSpecException)
        {
            return true; // a mask or rectangle that does not fit the probe: those measure pictures
        }
    }
}
