using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>
/// Classical fill-in of missing pixels. Pictures are [N,C,H,W]; masks [H,W], [C,H,W] or [N,C,H,W] with nonzero = known. Values at missing
/// pixels are ignored. Returned tensors belong to the caller.
/// </summary>
public static class Fill
{
    /// <summary>
    /// The median fill of CM4IR: in passes of growing half-width 2, 3, ... each missing pixel becomes the lower median of the known values
    /// in the square window around it, as they were before the pass.
    /// </summary>
    /// <returns>The filled picture; the picture itself where nothing is known. The caller owns it.</returns>
    public static Tensor Median(Tensor y, Tensor mask)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor known = mask.ne(0).expand(y.shape).contiguous(),
            x = y.clone();
        (long h, long w) = (y.shape[2], y.shape[3]);
        for (long half = 2; ; half++)
        {
            using DisposeScope pass = torch.NewDisposeScope();
            long missing = known.logical_not().sum().item<long>();
            if (missing == 0 || missing == y.numel() || half > Math.Max(h, w))
                break;
            MedianPass(x, known, half);
        }
        return x.MoveToOuterDisposeScope();
    }

    private static void MedianPass(Tensor x, Tensor known, long half)
    {
        // Only the missing pixels' windows are gathered, in chunks of at most 4 million values.
        (long h, long w) = (x.shape[2], x.shape[3]);
        Tensor marked = torch.where(known, x, torch.full_like(x, float.NaN));
        Tensor padded = torch.nn.functional.pad(marked, [half, half, half, half], PaddingModes.Constant, double.NaN).flatten();
        long side = 2 * half + 1,
            stride = w + 2 * half,
            chunk = Math.Max(1, (4 << 20) / (side * side));
        Tensor offsets = (torch.arange(side, device: x.device).unsqueeze(1) * stride + torch.arange(side, device: x.device)).flatten();
        Tensor places = known.logical_not().flatten().nonzero().flatten();
        Tensor flatX = x.view(-1),
            flatKnown = known.view(-1);
        for (long at = 0; at < places.shape[0]; at += chunk)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            Tensor place = places.slice(0, at, Math.Min(at + chunk, places.shape[0]), 1);
            Tensor plane = place.floor_divide(h * w),
                inPlane = place - plane * (h * w),
                row = inPlane.floor_divide(w),
                column = inPlane - row * w;
            Tensor corner = plane * (h + 2 * half) * stride + row * stride + column;
            // Sorting puts NaN last: the lower median is entry (count - 1) / 2.
            Tensor window = padded.index_select(0, (corner.unsqueeze(1) + offsets).flatten()).reshape(-1, side * side);
            Tensor count = window.isnan().logical_not().sum(1, keepdim: true),
                found = count.gt(0).squeeze(1);
            Tensor medians = window.sort(1).Values.gather(1, (count - 1).clamp_min(0).floor_divide(2)).squeeze(1);
            flatX.index_copy_(0, place, torch.where(found, medians, flatX.index_select(0, place)));
            flatKnown.index_copy_(0, place, found);
        }
    }

    /// <summary>
    /// The harmonic fill: missing pixels are the mean of their four neighbours (the Laplace equation, mirrored at the edges), known ones
    /// stay.
    /// </summary>
    /// <remarks>
    /// Multigrid in one sweep gives the start (means of known pixels on coarser and coarser grids); successive over-relaxation by Chebyshev
    /// steps on a checkerboard finishes.
    /// </remarks>
    /// <param name="y">The measurement.</param>
    /// <param name="mask">Nonzero = known.</param>
    /// <param name="tolerance">Largest change of a pixel in a sweep that ends the iteration.</param>
    public static Tensor Harmonic(Tensor y, Tensor mask, double tolerance = 1e-4)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor known = mask.ne(0).expand(y.shape).to(y.dtype);
        return Smooth(y * known, known, tolerance).MoveToOuterDisposeScope();
    }

    private static Tensor Smooth(Tensor y, Tensor known, double tolerance)
    {
        (long h, long w) = (y.shape[2], y.shape[3]);
        Tensor x;
        if (h <= 2 && w <= 2)
        {
            Tensor count = known.sum([2L, 3L], keepdim: true);
            x = y.sum([2L, 3L], keepdim: true) / count.clamp_min(1);
        }
        else
        {
            // The mean of the known pixels of each 2x2 block, filled on the coarser grid and interpolated back.
            Tensor count = Blocks(known);
            Tensor coarse = Smooth(Blocks(y) / count.clamp_min(1e-6), count.gt(0).to(y.dtype), tolerance);
            x = torch.nn.functional.interpolate(coarse, [h, w], mode: torch.InterpolationMode.Bilinear, align_corners: false);
        }
        x = y + (1 - known) * x;
        Relax(x, known, Math.Min(200, 20 + (int)Math.Max(h, w)), tolerance);
        return x;

        static Tensor Blocks(Tensor t) => torch.nn.functional.avg_pool2d(t, 2L, stride: 2L, ceil_mode: true, count_include_pad: false);
    }

    // Every plane by itself, so that a picture's fill does not depend on its batch. A kernel, because this is what a restoration of a mask
    // spends beside the network.
    private static void Relax(Tensor x, Tensor known, int sweeps, double tolerance)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        (int h, int w) = ((int)x.shape[2], (int)x.shape[3]);
        Tensor values = x.cpu(),
            fixedValues = known.cpu().contiguous();
        Workers.Run((int)(x.shape[0] * x.shape[1]), plane =>
        {
            Span<float> Plane(Tensor t) => MemoryMarshal.Cast<byte, float>(t.bytes).Slice(plane * h * w, h * w);
            RelaxPlane(Plane(values), Plane(fixedValues), w, sweeps, (float)tolerance);
        });
        if (x.device_type != DeviceType.CPU)
            x.copy_(values);
    }

    // Jacobi with momentum: Chebyshev acceleration (Golub and Varga 1961) for eigenvalues of Jacobi's matrix within +-0.995.
    private static void RelaxPlane(Span<float> x, ReadOnlySpan<float> known, int width, int sweeps, float tolerance)
    {
        const float Radius = 0.995f;
        float[] rented = ArrayPool<float>.Shared.Rent(x.Length);
        Span<float> current = x,
            previous = rented.AsSpan(0, x.Length);
        x.CopyTo(previous);
        int height = x.Length / width;
        float momentum = 1;
        for (int i = 0; i < sweeps; i++)
        {
            momentum =
                i == 0 ? 1
                : i == 1 ? 1 / (1 - Radius * Radius / 2)
                : 1 / (1 - Radius * Radius * momentum / 4);
            float change = 0;
            for (int row = 0; row < height; row++)
            {
                int at = row * width,
                    above = Math.Max(row - 1, 0) * width,
                    below = Math.Min(row + 1, height - 1) * width;
                change = Math.Max(
                    change,
                    RelaxRow(
                        current.Slice(at, width),
                        current.Slice(above, width),
                        current.Slice(below, width),
                        known.Slice(at, width),
                        previous.Slice(at, width),
                        momentum
                    )
                );
            }
            // The step before the last has become the next one.
            Span<float> next = previous;
            previous = current;
            current = next;
            if (change <= tolerance)
                break;
        }
        current.CopyTo(x);
        ArrayPool<float>.Shared.Return(rented);
    }

    // next = previous + momentum (mean of the neighbours - previous) at missing pixels, into previous. Returns the largest change.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float RelaxRow(
        ReadOnlySpan<float> row,
        ReadOnlySpan<float> above,
        ReadOnlySpan<float> below,
        ReadOnlySpan<float> known,
        Span<float> previous,
        float momentum
    )
    {
        int last = row.Length - 1,
            lanes = Vector<float>.Count,
            j = 1;
        float change = 0;
        Vector<float> changes = Vector<float>.Zero;
        One(0, row, above, below, known, previous);
        for (; j + lanes <= last; j += lanes)
        {
            Vector<float> now = new(row[j..]),
                old = new(previous[j..]);
            Vector<float> sum =
                new Vector<float>(above[j..])
                + new Vector<float>(below[j..])
                + new Vector<float>(row[(j - 1)..])
                + new Vector<float>(row[(j + 1)..]);
            Vector<float> next = Vector.ConditionalSelect(
                Vector.GreaterThan(new Vector<float>(known[j..]), Vector<float>.Zero),
                now,
                old + momentum * (0.25f * sum - old)
            );
            changes = Vector.Max(changes, Vector.Abs(next - now));
            next.CopyTo(previous[j..]);
        }
        for (; j <= last; j++)
            One(j, row, above, below, known, previous);
        for (int lane = 0; lane < lanes; lane++)
            change = Math.Max(change, changes[lane]);
        return change;

        void One(
            int at,
            ReadOnlySpan<float> row,
            ReadOnlySpan<float> above,
            ReadOnlySpan<float> below,
            ReadOnlySpan<float> known,
            Span<float> previous
        )
        {
            float mean = 0.25f * (above[at] + below[at] + row[Math.Max(at - 1, 0)] + row[Math.Min(at + 1, row.Length - 1)]);
            float next = known[at] > 0 ? row[at] : previous[at] + momentum * (mean - previous[at]);
            change = Math.Max(change, Math.Abs(next - row[at]));
            previous[at] = next;
        }
    }
}
