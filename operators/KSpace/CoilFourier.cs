using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Operators;

/// <summary>
/// Parallel magnetic-resonance imaging, A = M F S: the picture times each coil's complex sensitivity, transformed (orthonormal), and the
/// measured frequencies of it. [channels, coils, real parts + imaginary parts]. Its data step is by conjugate gradients.
/// </summary>
internal sealed class CoilFourier : LinearOperator
{
    private readonly Tensor _maps,
        _measured;

    /// <param name="input">The picture.</param>
    /// <param name="maps">[coils,H,W] complex64; borrowed.</param>
    /// <param name="measured">Indices of the measured frequencies in the order of numpy.fft.fft2.</param>
    /// <param name="device">Where the constants live.</param>
    public CoilFourier(ImageShape input, Tensor maps, long[] measured, Device device)
    {
        (Input, Device) = (input, device);
        Output = new MeasurementShape(input.Channels, maps.shape[0], 2L * measured.Length);
        _maps = maps.to(device, copy: true).DetachFromDisposeScope();
        _measured = torch.tensor(measured, device: device).DetachFromDisposeScope();
    }

    public override ImageShape Input { get; }
    public override MeasurementShape Output { get; }
    public override Device Device { get; }

    public override Tensor Apply(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor f = torch.fft.fft2(x.unsqueeze(2) * _maps, norm: FFTNormType.Ortho).flatten(3).index_select(3, _measured);
        return torch.cat([f.real, f.imag], 3).MoveToOuterDisposeScope();
    }

    public override Tensor Adjoint(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        long count = _measured.shape[0];
        Tensor f = torch.zeros(
            [y.shape[0], Input.Channels, _maps.shape[0], (long)Input.Height * Input.Width],
            dtype: ScalarType.ComplexFloat32,
            device: y.device
        );
        f.index_copy_(3, _measured, torch.complex(y.narrow(3, 0, count), y.narrow(3, count, count)));
        Tensor pictures = torch.fft.ifft2(f.reshape([.. y.shape[..2], .. _maps.shape]), norm: FFTNormType.Ortho);
        return (pictures * _maps.conj()).real.sum(2).contiguous().MoveToOuterDisposeScope();
    }

    public override void Dispose()
    {
        _maps.Dispose();
        _measured.Dispose();
        base.Dispose();
    }
}
