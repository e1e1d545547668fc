using System.Text;

namespace Diffusion.Jupyter;

/// <summary>What a cell prints, sent line by line.</summary>
/// <param name="send">Takes the stream's name and text.</param>
/// <param name="stream">The stream's name.</param>
internal sealed class CellConsole(Action<string, string> send, string stream) : TextWriter
{
    private readonly StringBuilder _line = new();
    private readonly Lock _gate = new();

    /// <inheritdoc/>
    public override Encoding Encoding => Encoding.UTF8;

    /// <inheritdoc/>
    public override void Write(char value) => Write(value.ToString());

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        lock (_gate)
        {
            _line.Append(value);
            if (value?.Contains('\n') == true)
                Flush();
        }
    }

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Write(value + "\n");

    /// <inheritdoc/>
    public override void Flush()
    {
        lock (_gate)
        {
            if (_line.Length > 0)
                send(stream, _line.ToString());
            _line.Clear();
        }
    }
}

/// <summary>A notebook has no standard input: says so instead of waiting for ever.</summary>
internal sealed class NoInput : TextReader
{
    /// <inheritdoc/>
    public override int Read() => throw Refusal;

    /// <inheritdoc/>
    public override int Peek() => throw Refusal;

    /// <inheritdoc/>
    public override string ReadLine() => throw Refusal;

    private static NotSupportedException Refusal => new("Cells have no standard input. Put the value into a variable.");
}
