using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Sampling;

namespace Diffusion.Synthesis.Small;

/// <summary>
/// From noise to what a degradation did: x_t = (1 - t) x0 + t n with x0 = (degraded - clean) / s, s = sqrt(mu^2 + sigma^2), along the
/// velocity n - x0 that the network was taught (Lipman et al., "Flow matching", 2023; Liu et al., "Rectified flow", 2023).
/// </summary>
/// <param name="network">Borrowed.</param>
/// <param name="settings">How it is run.</param>
public sealed class DegradationSampler(DegradationUNet network, SmallSettings settings)
{
    /// <summary>Samples the change of a picture.</summary>
    /// <param name="clean">[1,3,H,W] on [0,1], sides multiples of what the network takes; borrowed.</param>
    /// <param name="kind">The degradation.</param>
    /// <param name="asked">How strong.</param>
    /// <param name="noise">The sample's.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <returns>[1,3,H,W], what is to be added to the picture, which then lies on [0,1]; the caller owns it.</returns>
    public Tensor Sample(Tensor clean, DegradationKind kind, Intensity asked, NoiseSource noise, CancellationToken cancellation = default)
    {
        using ComputeScope scope = new();
        double s = Math.Sqrt(asked.Mu * asked.Mu + asked.Sigma * asked.Sigma);
        bool guided = settings.Guidance != 1;
        Device device = network.Policy.Device;
        Tensor told = network.Tell(
                guided ? Longs((int)kind, network.Config.Kinds) : Longs((int)kind),
                Floats(guided ? 2 : 1, asked.Mu),
                Floats(guided ? 2 : 1, asked.Sigma)
            ),
            seen = clean * 2 - 1,
            // What is added to a picture leaves it on [0,1].
            least = -clean / s,
            most = (1 - clean) / s,
            x = noise.Draw(NoiseRole.Start, clean.shape).to(device);
        for (int step = settings.Steps; step > 0; step--)
        {
            cancellation.ThrowIfCancellationRequested();
            double t = (double)step / settings.Steps,
                next = (step - 1.0) / settings.Steps;
            using DisposeScope inner = torch.NewDisposeScope();
            Tensor x0 = torch.minimum(torch.maximum(x - t * Velocity(x, seen, t, told), least), most);
            // x' = x + (t' - t) (x - x0) / t.
            Tensor moved = step == 1 ? x0 : StepRules.Euler(x, x0, t, next);
            x.Dispose();
            x = moved.MoveToOuterDisposeScope();
            FinalizerHold.Yield();
        }
        return scope.Return(x * s);

        Tensor Longs(params long[] values) => torch.tensor(values).to(device);
        Tensor Floats(int count, double value) => torch.full([count], (float)value, device: device);
    }

    private Tensor Velocity(Tensor x, Tensor seen, double t, Tensor told)
    {
        Tensor both = torch.cat([x, seen], dim: 1),
            time = torch.full([1], (float)t, device: x.device);
        return PictureTiles.Compute(both, settings.Tile, network.SizeMultiple, part =>
        {
            int count = (int)told.shape[0];
            Tensor velocity = network.Forward(Twice(part.narrow(1, 0, 3), count), Twice(part.narrow(1, 3, 3), count), time, told);
            return count == 1 ? velocity : Guidance.Of(velocity.narrow(0, 0, 1), velocity.narrow(0, 1, 1), settings.Guidance);
        });
    }

    private static Tensor Twice(Tensor x, int count) => count == 1 ? x : x.expand(count, -1, -1, -1);
}
