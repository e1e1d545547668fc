using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Pipeline;
using Diffusion.Runtime;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion operators show SPEC</c>: what a spec means at one size, and a picture of its kernel or mask.</summary>
internal sealed class OperatorsShowVerb : Verb
{
    private readonly Argument<string> _spec;
    private readonly Option<(int Height, int Width)?> _size;
    private readonly Option<string[]> _plugins;
    private readonly OutputOptions _output;

    public OperatorsShowVerb()
        : base("show", "Show what a spec means, with a picture of its kernel or mask")
    {
        _spec = Take(new Argument<string>("spec") { HelpName = "SPEC", Description = "The operator" });
        _size = Take(
            new Option<(int, int)?>("--size")
            {
                HelpName = "HxW",
                Description = "Size of the picture (256x256)",
                CustomParser = Values.Size,
            }
        );
        _plugins = Take(
            new Option<string[]>("--plugin") { HelpName = "DLL|DIR", Description = "Load operators from an assembly (runs its code)" }
        );
        _output = new OutputOptions().AddTo(this);
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion operators show \"blur:kernel=motion,length=15,angle=30\"",
            "diffusion operators show \"mask:random=0.8\" --size 480x640 -o mask.png",
            "diffusion operators show \"blur:sigma=2|downsample:factor=4\" --json",
        ];

    public override ExitCode Run(Session session)
    {
        OperatorSpec spec = UsageException.Guard(() => OperatorVerbs.Catalog(session, _plugins).Parse(session.Get(_spec)));
        (int height, int width) = session.Get(_size) ?? (256, 256);
        using ComputeScope scope = new();
        using LinearOperator a = spec.Bind(new ImageShape(3, height, width));
        Tensor? picture = PictureOf(spec, a);
        foreach (string note in spec.Notes())
            session.Terminal.Say($"{note}.");
        if (session.Get(_output.Output) is { } output)
        {
            OutputPlan plan = OutputPlan.Make([InputFiles.StandardInput], output, "operator.png", ".png", session.Get(_output.Force));
            ImageFile.Write(
                plan.Paths[0],
                picture
                    ?? throw new DiffusionException("There is no picture of this operator", spec.ToString(), "Kernels and masks have one")
            );
        }
        if (session.Terminal.Json)
            session.Terminal.PrintJson(ToJson(spec, a));
        else
            PrintText(session.Terminal, spec, a, picture);
        return ExitCode.Done;
    }

    /// <summary>[C,h,w] on [0,1]: the mask, or the kernel stretched to white.</summary>
    private static Tensor? PictureOf(OperatorSpec spec, LinearOperator a)
    {
        if (a.Traits.Mask)
            return a.Apply(torch.ones(a.Input.Batch(1)))[0];
        if (spec is not Blur blur)
            return null;
        using Tensor kernel = blur.BuildKernel();
        return (kernel / kernel.abs().max()).clamp(0, 1).to(ScalarType.Float32).unsqueeze(0);
    }

    private static JsonObject ToJson(OperatorSpec spec, LinearOperator a) =>
        new()
        {
            ["spec"] = spec.ToString(),
            ["input"] = new JsonArray(a.Input.Channels, a.Input.Height, a.Input.Width),
            ["output"] = new JsonArray([.. a.Output.Dims.Select(d => (JsonNode)d)]),
            ["measured"] = a.MeasurementCount,
            ["mask"] = a.Traits.Mask,
            ["blur"] = a.Traits.Blur,
            ["downsample"] = a.Traits.Reduction,
            ["closed_form"] = a.Traits.ClosedForm,
            ["spectrum"] = a.Spectrum is not null,
            ["norm"] = Math.Sqrt(a.NormSquared),
        };

    private static void PrintText(Terminal terminal, OperatorSpec spec, LinearOperator a, Tensor? picture)
    {
        terminal.Print(spec.ToString());
        terminal.Print($"picture      {a.Input.Channels} channels, {a.Input.Height}x{a.Input.Width} (height x width)");
        terminal.Print(
            $"measurement  {string.Join("x", a.Output.Dims)}{(a.Output.IsImage ? "" : ", no picture")}; {a.MeasurementCount} of "
                + $"{a.Input.Count} values, {100.0 * a.MeasurementCount / a.Input.Count:0.#} %"
        );
        terminal.Print(FormattableString.Invariant($"norm         {Math.Sqrt(a.NormSquared):0.####}"));
        terminal.Print(
            $"solved       {(a.Traits.ClosedForm ? "in closed form" : "iteratively (conjugate gradients)")}"
                + (a.Spectrum is null ? "" : "; has a singular value decomposition")
        );
        if (picture is null)
            return;
        terminal.Print("");
        foreach (string line in Shaded(picture))
            terminal.Print(line);
    }

    /// <summary>A picture in characters, white as dense ones.</summary>
    private static IEnumerable<string> Shaded(Tensor picture)
    {
        const string Ramp = " .:-=+*#%@";
        const int Widest = 64;
        Tensor gray = picture.mean([0L]).unsqueeze(0).unsqueeze(0);
        int width = (int)Math.Min(Widest, gray.shape[3]),
            height = (int)Math.Max(1, Math.Round(gray.shape[2] * (double)width / gray.shape[3] / 2));
        Tensor small = torch.nn.functional.adaptive_avg_pool2d(gray, [height, width])[0, 0];
        float[] values = [.. (small / small.max().clamp_min(1e-9)).contiguous().data<float>()];
        for (int row = 0; row < height; row++)
            yield return string.Concat(
                Enumerable
                    .Range(0, width)
                    .Select(column => Ramp[(int)Math.Round(Math.Clamp(values[row * width + column], 0, 1) * (Ramp.Length - 1))])
            );
    }
}
