using Diffusion.Imaging;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.HostProgram;

/// <summary>A picture to restore, always the same one.</summary>
internal static class Job
{
    /// <summary>A restorer on the CPU in float32.</summary>
    public static Restorer Restorer(int evaluations = 4) =>
        new(
            new RestoreOptions
            {
                Operator = "blur:sigma=1.5",
                Noise = 0.02,
                Solver = "cm4ir",
                Steps = evaluations,
                Policy = ComputePolicy.Choose("cpu", "fp32"),
            }
        );

    /// <summary>A picture of waves.</summary>
    public static Picture Picture(int side = 96, double pace = 0.3)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor rows = torch.arange(side).to(ScalarType.Float32).unsqueeze(1),
            columns = torch.arange(side).to(ScalarType.Float32);
        Tensor waves = ((rows * pace).sin() * (columns * pace / 2).cos() * 0.4 + 0.5).expand(1, 3, side, side).contiguous();
        return new Picture(waves.MoveToOuterDisposeScope()) { Name = "waves" };
    }

    /// <summary>Restores it.</summary>
    /// <returns>The result's values.</returns>
    public static float[] Restore(Restorer restorer, int side = 96, double pace = 0.3)
    {
        using Picture picture = Picture(side, pace),
            restored = restorer.Restore(picture);
        return restored.Pixels.data<float>().ToArray();
    }
}
