using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Sampling;

namespace Diffusion.Tests.Solvers;

/// <summary>
/// A prior in closed form: pictures are Gaussian with a constant mean and a covariance that is diagonal in the Fourier basis, so that
/// D(x, s) = mu + (Sigma^-1 + I/s^2)^-1 (x - mu)/s^2 is exact, and with it the posterior mean of any linear inverse problem.
/// </summary>
internal sealed class GaussianPrior : IDenoiser, IVpNetwork
{
    private readonly ImageShape _shape;
    private readonly Tensor _variances;

    public GaussianPrior(ImageShape shape, double mean = 0.1, double std = 0.35, double smoothness = 0.12)
    {
        _shape = shape;
        Mean = mean;
        Tensor v = torch.fft.fftfreq(shape.Height).reshape(-1, 1),
            h = torch.fft.rfftfreq(shape.Width).reshape(1, -1);
        Tensor spectrum = (1 + (v.square() + h.square()) / (smoothness * smoothness)).pow(-1.5).expand(shape.Channels, -1, -1);
        // Scaled so that every pixel has the variance std^2: the mean of the eigenvalues over the whole plane.
        using Tensor impulse = torch.zeros(1, shape.Channels, shape.Height, shape.Width);
        impulse[0, 0, 0, 0] = 1;
        double power = torch.fft.irfft2(torch.fft.rfft2(impulse) * spectrum, s: [shape.Height, shape.Width])[0, 0, 0, 0].item<float>();
        _variances = (spectrum * (std * std / power)).DetachFromDisposeScope();
        Info = new PriorInfo
        {
            Name = "gaussian",
            Kind = PriorKind.PosteriorMean,
            Channels = shape.Channels,
            NoiseRange = (0.002, 80),
        };
    }

    public PriorInfo Info { get; init; }
    public double Mean { get; }
    public int Evaluations { get; private set; }
    public NoiseSchedule Schedule { get; } = NoiseSchedule.Linear();
    public Action<Tensor>? Spoil { get; init; }

    public Tensor Denoise(Tensor x, double sigma, in Condition condition = default)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Evaluations++;
        Tensor result = Mean + Filter(x - Mean, _variances / (_variances + sigma * sigma));
        Spoil?.Invoke(result);
        return result.MoveToOuterDisposeScope();
    }

    public (Tensor Epsilon, Tensor? Variance) Predict(Tensor xt, int t, in Condition condition = default)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double sigma = Schedule.Sigma(t);
        Tensor x = xt / Math.Sqrt(Schedule.AlphaBar[t]);
        return (((x - Denoise(x, sigma)) / sigma).MoveToOuterDisposeScope(), null);
    }

    /// <summary>Sigma^power (x): 1 is the covariance, 1/2 makes samples of white noise.</summary>
    public Tensor Covariance(Tensor x, double power = 1) => Filter(x, _variances.pow(power));

    private Tensor Filter(Tensor x, Tensor gains) => torch.fft.irfft2(torch.fft.rfft2(x) * gains, s: [x.shape[2], x.shape[3]]);

    public void Dispose() => _variances.Dispose();
}
