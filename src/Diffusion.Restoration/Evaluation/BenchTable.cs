using System.Text;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Evaluation;

/// <summary>
/// The table that a benchmark fills, a CSV file. Each finished row is appended and flushed: a run that is killed loses the row it was at.
/// </summary>
public sealed class BenchTable : IDisposable
{
    private readonly FileStream _file,
        _lock;
    private readonly List<BenchRow> _rows = [];
    private readonly HashSet<BenchCell> _cells = [];

    private BenchTable(FileStream file, FileStream heldLock) => (_file, _lock) = (file, heldLock);

    /// <summary>Opens a table to go on with, or begins one.</summary>
    /// <param name="path">The CSV file; its folder is made.</param>
    /// <param name="anew">Throws away what is there.</param>
    /// <exception cref="DiffusionException">It is no table of this version, or cannot be written.</exception>
    public static BenchTable Open(string path, bool anew = false)
    {
        FileStream? heldLock = null;
        FileStream file;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            // A file of its own: a lock on the table would keep people from reading it meanwhile.
            heldLock = new FileStream(
                path + ".lock",
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None,
                bufferSize: 0,
                FileOptions.DeleteOnClose
            );
            file = new FileStream(path, anew ? FileMode.Create : FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            heldLock?.Dispose();
            throw new DiffusionException(
                "The table cannot be written",
                path,
                "Check the folder, and whether another benchmark is at work in it",
                e
            );
        }
        BenchTable table = new(file, heldLock);
        try
        {
            table.Load(path);
            return table;
        }
        catch
        {
            table.Dispose();
            throw;
        }
    }

    /// <summary>The rows, in the order in which they were finished.</summary>
    public IReadOnlyList<BenchRow> Rows => _rows;

    /// <summary>Whether a cell was measured already.</summary>
    public bool Has(BenchCell cell) => _cells.Contains(cell);

    /// <summary>Appends a row and flushes it to the disk.</summary>
    public void Append(BenchRow row)
    {
        WriteLine(BenchColumns.Write(row));
        _rows.Add(row);
        _cells.Add(row.Cell);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        _lock.Dispose();
    }

    private void Load(string path)
    {
        byte[] bytes = new byte[_file.Length];
        _file.ReadExactly(bytes);
        // What stands behind the last line break was cut off when a run was killed.
        int whole = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        string[] lines = Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        IReadOnlyList<string> header = lines.Length == 0 ? [] : Csv.Fields(lines[0].TrimEnd('\r'));
        if (lines.Length > 0 && !BenchColumns.Fit(header))
            throw new DiffusionException(
                "The table has other columns: it was written by another version, or is no benchmark",
                path,
                "Use another folder, or --force to begin anew"
            );
        for (int i = 1; i < lines.Length; i++)
        {
            try
            {
                BenchRow row = BenchColumns.Read(header, Csv.Fields(lines[i].TrimEnd('\r')));
                _rows.Add(row);
                _cells.Add(row.Cell);
            }
            catch (Exception e) when (e is FormatException or OverflowException)
            {
                throw new DiffusionException(
                    $"Line {i + 1} of the table cannot be read: {e.Message.TrimEnd('.')}",
                    path,
                    "Delete the line, or use --force to begin anew",
                    e
                );
            }
        }
        bool current = header.SequenceEqual(BenchColumns.Names);
        _file.SetLength(current ? whole : 0);
        _file.Position = _file.Length;
        if (current)
            return;
        WriteLine(BenchColumns.Names);
        foreach (BenchRow row in _rows)
            WriteLine(BenchColumns.Write(row));
    }

    private void WriteLine(IEnumerable<string> fields)
    {
        _file.Write(Encoding.UTF8.GetBytes(Csv.Line(fields) + "\n"));
        _file.Flush(flushToDisk: true);
    }
}
