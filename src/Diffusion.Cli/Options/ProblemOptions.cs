using System.CommandLine;

namespace Diffusion.Cli.Options;

/// <summary>What was measured, and how.</summary>
internal sealed class ProblemOptions
{
    /// <summary>The degradation.</summary>
    public Option<string?> Operator { get; } =
        new("--operator", "-A")
        {
            HelpName = "SPEC",
            Description = "The degradation, for example \"downsample:factor=4\" (diffusion operators list)",
        };

    /// <summary>The noise.</summary>
    public Option<NoiseValue?> Noise { get; } =
        new("--noise")
        {
            HelpName = "S",
            Description =
                "Standard deviation of the noise on the [0,1] scale: 0.05, 12.75/255, or auto; 40dn in values of the file; "
                + "poisson:gain=G,read=R or auto-poisson where it grows with the signal",
            CustomParser = Values.NoiseOfFile,
        };

    /// <summary>The noise value by value.</summary>
    public Option<string?> NoiseMap { get; } =
        new("--noise-map")
        {
            HelpName = "FILE",
            Description =
                "A standard deviation for each measured value, instead of --noise: on the [0,1] scale, or with --range the file's",
        };

    /// <summary>Crops instead of complaining.</summary>
    public Option<bool> CropToFit { get; } = new("--crop-to-fit") { Description = "Crop pictures whose size the operator cannot take" };

    /// <summary>Resizes masks instead of complaining.</summary>
    public Option<bool> ResizeMask { get; } = new("--resize-mask") { Description = "Resize a mask file to the picture" };

    /// <summary>Foreign assemblies.</summary>
    public Option<string[]> Plugins { get; } =
        new("--plugin")
        {
            HelpName = "DLL|DIR",
            Description = "Load operators, solvers, networks and models from an assembly (runs its code)",
        };

    /// <summary>Adds them to a verb.</summary>
    public ProblemOptions AddTo(Command command)
    {
        foreach (Option option in (Option[])[Operator, Noise, NoiseMap, CropToFit, ResizeMask, Plugins])
            command.Add(option);
        return this;
    }
}
