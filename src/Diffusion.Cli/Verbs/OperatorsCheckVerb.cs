using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Inverse;
using Diffusion.Native;
using Diffusion.Runtime;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion operators check SPEC</c>: measures what an operator promises.</summary>
internal sealed class OperatorsCheckVerb : Verb
{
    private readonly Argument<string> _spec;
    private readonly Option<(int Height, int Width)?> _size;
    private readonly Option<int?> _channels;
    private readonly Option<string[]> _plugins;

    public OperatorsCheckVerb()
        : base("check", "Check linearity, adjoint, pseudo-inverse, normal equations, sizes and batches, with their errors")
    {
        _spec = Take(new Argument<string>("spec") { HelpName = "SPEC", Description = "The operator" });
        _size = Take(
            new Option<(int, int)?>("--size")
            {
                HelpName = "HxW",
                Description = "Size of the picture (48x64); odd sizes are tried too",
                CustomParser = Values.Size,
            }
        );
        _channels = Take(
            new Option<int?>("--channels")
            {
                HelpName = "N",
                Description = "Channels of the picture (3)",
                CustomParser = Values.AtLeast(1, "channels"),
            }
        );
        _plugins = Take(
            new Option<string[]>("--plugin") { HelpName = "DLL|DIR", Description = "Load operators from an assembly (runs its code)" }
        );
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion operators check \"downsample:factor=4\"",
            "diffusion operators check \"blur:kernel=disk,radius=3|mask:random=0.5\" --size 60x80",
        ];

    public override ExitCode Run(Session session)
    {
        OperatorSpec spec = UsageException.Guard(() => OperatorVerbs.Catalog(session, _plugins).Parse(session.Get(_spec)));
        (int height, int width) = session.Get(_size) ?? (48, 64);
        NativeLibraries.LoadTorch();
        OperatorCheck.Report report = OperatorCheck.Run(spec, new ImageShape(session.Get(_channels) ?? 3, height, width));
        foreach (OperatorCheck.Item item in report.Items)
        {
            if (session.Terminal.Json)
                session.Terminal.PrintJson(
                    new JsonObject
                    {
                        ["check"] = item.Name,
                        ["error"] = double.IsFinite(item.Error) ? item.Error : null,
                        ["limit"] = double.IsFinite(item.Limit) ? item.Limit : null,
                        ["passed"] = item.Passed,
                        ["note"] = item.Note,
                    }
                );
        }
        if (!session.Terminal.Json)
            session.Terminal.Print(report.ToString());
        if (report.Passed)
            return ExitCode.Done;
        session.Terminal.Fail(
            new Failure(
                ExitCode.Data,
                $"{report.Items.Count(item => !item.Passed)} of {report.Items.Count} checks failed ({spec}). Correct the operator's "
                    + $"Apply and Adjoint first."
            )
        );
        return ExitCode.Data;
    }
}
