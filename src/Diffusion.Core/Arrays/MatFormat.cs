using System.IO.Compression;
using Diffusion.Runtime;

namespace Diffusion.Arrays;

/// <summary>
/// MATLAB's files up to version 7 ("Level 5 MAT-file"): a header of 128 bytes, then variables, each compressed or not. Numbers of any type,
/// and cell arrays of them, are read. Later versions are HDF5.
/// </summary>
internal static class MatFormat
{
    private const int HeaderBytes = 128,
        TypeMatrix = 14,
        TypeCompressed = 15;

    /// <summary>The first bytes of such a file.</summary>
    public static ReadOnlySpan<byte> Magic => "MATLAB 5.0"u8;

    /// <summary>Reads one variable.</summary>
    /// <param name="stream">Seekable; borrowed.</param>
    /// <param name="selection">The variable by key; of a cell array, the cell by page.</param>
    /// <param name="where">For error messages.</param>
    /// <exception cref="ImageException">Damaged, no such variable, or several and no name.</exception>
    public static NumericArray Read(Stream stream, ArraySelection selection, string where)
    {
        try
        {
            byte[] header = new byte[HeaderBytes];
            stream.ReadExactly(header);
            bool bigEndian = header[126] == 'M' && header[127] == 'I';
            List<(string Name, long At)> variables = [];
            for (long at = HeaderBytes; at < stream.Length; )
            {
                stream.Position = at;
                MatElement element = new MatReader(stream, bigEndian, where).Next();
                if (Open(stream, element, bigEndian, where) is { } open)
                {
                    using (open.Owner)
                    {
                        MatMatrix matrix = MatMatrix.Read(open.Reader);
                        if (matrix.IsArray && matrix.Name.Length > 0)
                            variables.Add((matrix.Name, at));
                    }
                }
                at += 8 + element.Length;
            }
            int index = ArrayNames.Choose([.. variables.Select(v => v.Name)], selection.Key, where);
            stream.Position = variables[index].At;
            MatElement chosen = new MatReader(stream, bigEndian, where).Next();
            var content = Open(stream, chosen, bigEndian, where)!.Value;
            using (content.Owner)
                return MatMatrix.Read(content.Reader).Values(selection, where);
        }
        catch (Exception exception) when (exception is EndOfStreamException or InvalidDataException or IOException)
        {
            throw new ImageException("The MATLAB file is damaged", where, "Save it again", exception);
        }
    }

    /// <summary>The reader of a variable's content; null for what is no matrix.</summary>
    private static (MatReader Reader, Stream? Owner)? Open(Stream stream, MatElement element, bool bigEndian, string where)
    {
        if (element.Type == TypeMatrix)
            return (new MatReader(stream, bigEndian, where), null);
        if (element.Type != TypeCompressed)
            return null;
        ZLibStream inflated = new(stream, CompressionMode.Decompress, leaveOpen: true);
        MatReader reader = new(inflated, bigEndian, where);
        MatElement inner = reader.Next();
        if (inner.Type == TypeMatrix)
            return (reader, inflated);
        inflated.Dispose();
        return null;
    }
}
