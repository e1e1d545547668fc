using System.CommandLine;

namespace Diffusion.Cli.Options;

/// <summary>Where and with how much it is computed.</summary>
internal sealed class ExecutionOptions
{
    /// <summary>Pictures per batch.</summary>
    public Option<int?> Batch { get; } =
        new("--batch")
        {
            HelpName = "N",
            Description = "Pictures of equal size that are restored together",
            CustomParser = Values.AtLeast(1, "pictures"),
        };

    /// <summary>Tile side.</summary>
    public Option<int?> Tile { get; } =
        new("--tile")
        {
            HelpName = "PIXELS",
            Description = "Run the prior on overlapping tiles of this side",
            CustomParser = Values.AtLeast(32, "pixels"),
        };

    /// <summary>Memory bound.</summary>
    public Option<long?> Memory { get; } =
        new("--memory")
        {
            HelpName = "SIZE",
            Description = "A memory bound (4G) that chooses tiles and areas",
            CustomParser = Values.Bytes,
        };

    /// <summary>The device.</summary>
    public Option<string> Device { get; } =
        new("--device")
        {
            HelpName = "cpu|cuda[:N]|auto",
            Description = "Where to compute",
            DefaultValueFactory = _ => "auto",
        };

    /// <summary>The network's dtype.</summary>
    public Option<string> Dtype { get; } =
        new Option<string>("--dtype")
        {
            HelpName = "auto|fp32|bf16|fp16",
            Description = "The network's number format",
            DefaultValueFactory = _ => "auto",
        }.AcceptOnlyFromAmong("auto", "fp32", "bf16", "fp16");

    /// <summary>Threads.</summary>
    public Option<int?> Threads { get; } =
        new("--threads")
        {
            HelpName = "N",
            Description = "Threads to compute with",
            CustomParser = Values.AtLeast(1, "threads"),
        };

    /// <summary>Adds them to a verb.</summary>
    public ExecutionOptions AddTo(Command command)
    {
        foreach (Option option in (Option[])[Batch, Tile, Memory, Device, Dtype, Threads])
            command.Add(option);
        return this;
    }
}
