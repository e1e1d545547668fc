using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>
/// Extends a picture beyond its edges by copies of its pixels (or zeros), and its exact transpose, which adds the copies back. Any width,
/// also beyond the picture's own.
/// </summary>
internal sealed class EdgeExtension : IDisposable
{
    private readonly Direction _rows,
        _columns;

    /// <summary>Extends an [h,w] picture by the given numbers of pixels.</summary>
    public EdgeExtension(Boundary boundary, ImageShape input, int top, int bottom, int left, int right, Device device)
    {
        _rows = new Direction(BoundaryIndex.Of(boundary, -top, input.Height + top + bottom, input.Height), input.Height, device);
        _columns = new Direction(BoundaryIndex.Of(boundary, -left, input.Width + left + right, input.Width), input.Width, device);
    }

    /// <summary>Height and width of the extended picture.</summary>
    public (long Height, long Width) Extended => (_rows.Length, _columns.Length);

    public Tensor Extend(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return _columns.Gather(_rows.Gather(x, -2), -1).MoveToOuterDisposeScope();
    }

    public Tensor Fold(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return _rows.Scatter(_columns.Scatter(y, -1), -2).MoveToOuterDisposeScope();
    }

    /// <summary>How many output pixels copy each input pixel, [h,w]: the diagonal of P^T P.</summary>
    public Tensor Copies()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return (_rows.Copies().unsqueeze(1) * _columns.Copies()).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _rows.Dispose();
        _columns.Dispose();
    }

    private sealed class Direction : IDisposable
    {
        private readonly Tensor _index;
        private readonly Tensor? _inside;
        private readonly int _n;
        private readonly bool _identity;

        public Direction(long[] index, int n, Device device)
        {
            _n = n;
            _identity = index.Length == n && index.Select((source, i) => source == i).All(same => same);
            _index = torch.tensor([.. index.Select(i => Math.Max(i, 0))], device: device).DetachFromDisposeScope();
            if (index.Contains(-1))
                _inside = torch.tensor([.. index.Select(i => i < 0 ? 0f : 1f)], device: device).DetachFromDisposeScope();
        }

        public long Length => _index.shape[0];

        public Tensor Gather(Tensor x, int dim)
        {
            if (_identity)
                return x.alias();
            Tensor y = x.index_select(dim, _index);
            return _inside is null ? y : y.mul_(Shaped(dim));
        }

        public Tensor Scatter(Tensor y, int dim)
        {
            if (_identity)
                return y.alias();
            long[] shape = y.shape;
            shape[shape.Length + dim] = _n;
            Tensor x = torch.zeros(shape, dtype: y.dtype, device: y.device);
            return x.index_add_(dim, _index, _inside is null ? y : y * Shaped(dim), 1);
        }

        public Tensor Copies() => Scatter(torch.ones(_index.shape[0], device: _index.device), -1);

        public void Dispose()
        {
            _index.Dispose();
            _inside?.Dispose();
        }

        private Tensor Shaped(int dim) => dim == -1 ? _inside! : _inside!.unsqueeze(1);
    }
}
