using System.Runtime.InteropServices;

namespace Diffusion.Native;

/// <summary>
/// Which parts of a room of <paramref name="capacity"/> bytes are taken. The best fit, of equal ones the first; neighbouring free parts are
/// one part.
/// </summary>
/// <remarks>Knows offsets only and touches no memory. Not for several threads at once.</remarks>
/// <param name="capacity">Bytes.</param>
internal sealed class BlockMap(long capacity)
{
    // By offset, without gaps, from 0 on; the last one is taken. A network has some hundred of them: walking along them takes less time
    // than a tree would.
    private readonly List<Block> _blocks = [];

    /// <summary>Takes a block of <paramref name="size"/> bytes (at least 1).</summary>
    /// <returns>Its offset, or -1 when there is no room.</returns>
    public long Take(long size)
    {
        Span<Block> blocks = CollectionsMarshal.AsSpan(_blocks);
        int best = -1;
        for (int i = 0; i < blocks.Length; i++)
        {
            if (!blocks[i].Taken && blocks[i].Size >= size && (best < 0 || blocks[i].Size < blocks[best].Size))
                best = i;
        }
        long offset =
            best >= 0 ? blocks[best].Offset
            : blocks.IsEmpty ? 0
            : blocks[^1].End;
        if (best < 0)
        {
            if (size > capacity - offset)
                return -1;
            _blocks.Add(new(offset, size, true));
        }
        else
        {
            long left = blocks[best].Size - size;
            // First what may fail: without memory for the entry nothing has changed.
            if (left > 0)
                _blocks.Insert(best + 1, new(offset + size, left, false));
            _blocks[best] = new(offset, size, true);
        }
        return offset;
    }

    /// <summary>Gives back the block that <see cref="Take"/> returned.</summary>
    /// <exception cref="ArgumentException">No block that is taken begins there.</exception>
    public void Give(long offset)
    {
        int i = IndexOf(offset);
        int first = i > 0 && !_blocks[i - 1].Taken ? i - 1 : i,
            last = i + 1 < _blocks.Count && !_blocks[i + 1].Taken ? i + 1 : i;
        Block free = new(_blocks[first].Offset, _blocks[last].End - _blocks[first].Offset, false);
        bool atTop = last == _blocks.Count - 1;
        _blocks.RemoveRange(first, last - first + 1);
        if (!atTop)
            _blocks.Insert(first, free);
    }

    private int IndexOf(long offset)
    {
        Span<Block> blocks = CollectionsMarshal.AsSpan(_blocks);
        int low = 0,
            high = blocks.Length - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (blocks[middle].End <= offset)
                low = middle + 1;
            else
                high = middle;
        }
        return low <= high && blocks[low].Taken && blocks[low].Offset == offset
            ? low
            : throw new ArgumentException($"No block begins at {offset}.", nameof(offset));
    }

    private readonly record struct Block(long Offset, long Size, bool Taken)
    {
        public long End => Offset + Size;
    }
}
