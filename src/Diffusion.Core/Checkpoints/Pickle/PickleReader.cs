using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>A machine for the part of Python's pickle language that weights need (protocols 0 to 5).</summary>
/// <remarks>
/// It builds plain values and nothing else: no class is looked up, no code is run.
/// Values: null, bool, long, double, string, byte[], object?[] (tuple), List (list), and the types of PickleValues. The opcodes are those
/// of CPython's <c>pickletools</c>.
/// </remarks>
internal sealed class PickleReader
{
    private const int MaxOpcodes = 2_000_000,
        MaxStack = 1 << 16,
        MaxMemo = 500_000;
    private readonly PickleStream _stream;
    private readonly PickleGlobals _globals;
    private readonly bool _legacy;
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<ulong, object?> _memo = [];

    private PickleReader(PickleStream stream, bool legacy)
    {
        _stream = stream;
        _legacy = legacy;
        _globals = new PickleGlobals(stream);
    }

    /// <summary>Reads one pickle, up to its STOP.</summary>
    /// <param name="stream">Where it begins; left just behind it.</param>
    /// <param name="legacy">Whether persistent ids have the form of PyTorch's format before 1.6.</param>
    /// <exception cref="CheckpointException">It is malformed, or names something that weights do not need.</exception>
    public static object? Read(PickleStream stream, bool legacy = false) => new PickleReader(stream, legacy).Run();

    private object? Run()
    {
        for (int count = 0; count < MaxOpcodes; count++)
        {
            byte opcode = _stream.ReadByte();
            if (opcode == (byte)'.')
                return Pop();
            if (!Scalar(opcode) && !Text(opcode) && !Container(opcode) && !Reference(opcode))
                throw Refused(opcode);
            if (_stack.Count > MaxStack || _marks.Count > MaxStack)
                throw Malformed("Nesting too deep");
        }
        throw Malformed($"More than {MaxOpcodes} opcodes");
    }

    private bool Scalar(byte opcode)
    {
        switch (opcode)
        {
            case 0x80: // PROTO
                if (_stream.ReadByte() is var protocol and > 5)
                    throw Malformed($"Protocol {protocol} is unknown");
                return true;
            case 0x95:
                _stream.ReadNumber(8);
                return true; // FRAME
            case (byte)'N':
                return Push(null);
            case 0x88:
                return Push(true);
            case 0x89:
                return Push(false);
            case (byte)'K':
                return Push((long)_stream.ReadByte());
            case (byte)'M':
                return Push((long)_stream.ReadNumber(2));
            case (byte)'J':
                return Push((long)(int)_stream.ReadNumber(4));
            case (byte)'G':
                return Push(BitConverter.UInt64BitsToDouble(BinaryPrimitives.ReverseEndianness(_stream.ReadNumber(8))));
            case (byte)'I':
                return Push(
                    _stream.ReadLine() switch
                    {
                        "00" => false,
                        "01" => true,
                        var line => ParseInteger(line),
                    }
                );
            case (byte)'L':
                return Push(ParseInteger(_stream.ReadLine().TrimEnd('L')));
            case (byte)'F':
                return Push(
                    double.TryParse(_stream.ReadLine(), CultureInfo.InvariantCulture, out double real)
                        ? real
                        : throw Malformed("A number is not readable")
                );
            case 0x8a:
                return Push(Integer(_stream.ReadBytes(_stream.ReadByte())));
            case 0x8b:
                int length = (int)_stream.ReadNumber(4);
                return Push(Integer(_stream.ReadBytes(length >= 0 ? (ulong)length : throw Malformed("A number has a negative length"))));
            default:
                return false;
        }
    }

    private bool Text(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'X':
                return Push(Utf8(_stream.ReadNumber(4)));
            case 0x8c:
                return Push(Utf8(_stream.ReadByte()));
            case 0x8d:
                return Push(Utf8(_stream.ReadNumber(8)));
            case (byte)'T':
                return Push(Python2Text(_stream.ReadNumber(4)));
            case (byte)'U':
                return Push(Python2Text(_stream.ReadByte()));
            case (byte)'S':
                return Push(_stream.ReadLine().Trim('\'', '"'));
            case (byte)'V':
                return Push(_stream.ReadLine());
            case (byte)'B':
                return Push(_stream.ReadBytes(_stream.ReadNumber(4)));
            case (byte)'C':
                return Push(_stream.ReadBytes(_stream.ReadByte()));
            case 0x8e or 0x96:
                return Push(_stream.ReadBytes(_stream.ReadNumber(8)));
            default:
                return false;
        }
    }

    private bool Container(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'(':
                _marks.Add(_stack.Count);
                return true;
            case (byte)'0':
                Pop();
                return true;
            case (byte)'1':
                PopMark();
                return true;
            case (byte)'2':
                return Push(Top);
            case (byte)']':
                return Push(new List<object?>());
            case (byte)'l':
                return Push(new List<object?>(PopMark()));
            case (byte)')':
                return Push(Array.Empty<object?>());
            case (byte)'t':
                return Push(PopMark());
            case 0x85 or 0x86 or 0x87:
                return Push(PopSome(opcode - 0x84));
            case (byte)'}':
                return Push(new PickleDict());
            case (byte)'d':
                return Fill(PopMark(), new PickleDict());
            case 0x8f:
                return Push(new List<object?>()); // EMPTY_SET
            case 0x91:
                return Push(new List<object?>(PopMark())); // FROZENSET
            case 0x90: // ADDITEMS
                Append(PopMark());
                return true;
            case (byte)'a':
                Append(PopSome(1));
                return true;
            case (byte)'e':
                Append(PopMark());
                return true;
            case (byte)'s':
                SetItems(PopSome(2));
                return true;
            case (byte)'u':
                SetItems(PopMark());
                return true;
            default:
                return false;
        }
    }

    private bool Reference(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'q':
                return Remember(_stream.ReadByte());
            case (byte)'r':
                return Remember(_stream.ReadNumber(4));
            case (byte)'p':
                return Remember(ParseIndex());
            case 0x94:
                return Remember((ulong)_memo.Count);
            case (byte)'h':
                return Recall(_stream.ReadByte());
            case (byte)'j':
                return Recall(_stream.ReadNumber(4));
            case (byte)'g':
                return Recall(ParseIndex());
            case (byte)'c':
                return Push(_globals.Resolve(_stream.ReadLine(), _stream.ReadLine()));
            case 0x93:
                object?[] names = PopSome(2);
                return Push(names is [string module, string name] ? _globals.Resolve(module, name) : throw Malformed("A name is not text"));
            case (byte)'Q':
                return Push(_globals.Storage(Pop(), _legacy));
            case (byte)'R' or 0x81: // REDUCE, NEWOBJ
                object?[] call = PopSome(2);
                return Push(
                    call switch
                    {
                        [PickleGlobal { Callable: false }, object?[]] when opcode == 0x81 => new PickleRecord(),
                        [PickleGlobal function, object?[] arguments] => _globals.Call(function, arguments),
                        [PickleRecord, object?[]] => new PickleRecord(),
                        _ => throw Malformed("What is called is no permitted function"),
                    }
                );
            case (byte)'b': // BUILD: attributes
                object? state = Pop();
                if (Top is PickleRecord record)
                    record.State = state;
                else if (Top is not PickleDict || state is not PickleDict)
                    throw Malformed("Attributes are set on what has none");
                return true;
            default:
                return false;
        }
    }

    private object? Top => _stack.Count > Floor ? _stack[^1] : throw Malformed("The stack runs empty");

    // Nothing below the innermost mark may be taken before the mark itself.
    private int Floor => _marks.Count > 0 ? _marks[^1] : 0;

    private bool Push(object? value)
    {
        _stack.Add(value);
        return true;
    }

    private object? Pop()
    {
        object? top = Top;
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private object?[] PopSome(int count)
    {
        if (_stack.Count - Floor < count)
            throw Malformed("The stack runs empty");
        object?[] items = [.. _stack[^count..]];
        _stack.RemoveRange(_stack.Count - count, count);
        return items;
    }

    private object?[] PopMark()
    {
        if (_marks.Count == 0)
            throw Malformed("A mark is missing");
        object?[] items = PopSome(_stack.Count - Floor);
        _marks.RemoveAt(_marks.Count - 1);
        return items;
    }

    private bool Fill(object?[] items, PickleDict dictionary)
    {
        Push(dictionary);
        SetItems(items);
        return true;
    }

    private void Append(object?[] items)
    {
        if (Top is List<object?> list)
            list.AddRange(items);
        else if (Top is not PickleRecord)
            throw Malformed("Items are appended to what is no list");
    }

    private void SetItems(object?[] items)
    {
        if (items.Length % 2 != 0)
            throw Malformed("A key has no value");
        if (Top is PickleRecord)
            return;
        if (Top is not PickleDict dictionary)
            throw Malformed("An entry is set in what is no dictionary");
        for (int i = 0; i < items.Length; i += 2)
            dictionary.Set(items[i], items[i + 1]);
    }

    private bool Remember(ulong index)
    {
        if (index >= MaxMemo)
            throw Malformed($"Memo index {index} is out of range");
        _memo[index] = Top;
        return true;
    }

    private bool Recall(ulong index) =>
        Push(_memo.TryGetValue(index, out object? value) ? value : throw Malformed($"Memo index {index} was never set"));

    private ulong ParseIndex() =>
        ulong.TryParse(_stream.ReadLine(), NumberStyles.None, CultureInfo.InvariantCulture, out ulong index)
            ? index
            : throw Malformed("A memo index is not readable");

    private object ParseInteger(string line) =>
        line.Length <= 1000 && BigInteger.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger number)
            ? Narrow(number)
            : throw Malformed("A number is not readable");

    private object Integer(byte[] bytes) =>
        bytes.Length <= 1000 ? Narrow(new BigInteger(bytes)) : throw Malformed($"A number of {bytes.Length} bytes");

    private static object Narrow(BigInteger number) => number >= long.MinValue && number <= long.MaxValue ? (object)(long)number : number;

    private string Utf8(ulong length)
    {
        byte[] bytes = _stream.ReadBytes(length);
        return System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw Malformed("A text is not UTF-8");
    }

    // Python 2 wrote text as bytes of whatever encoding.
    private string Python2Text(ulong length)
    {
        byte[] bytes = _stream.ReadBytes(length);
        return System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes);
    }

    private CheckpointException Malformed(string what) => _stream.Malformed(what);

    private CheckpointException Refused(byte opcode) =>
        (char)opcode switch
        {
            'i' => new CheckpointException(
                $"The pickle refers to \"{Printable.Shorten($"{_stream.ReadLine()}.{_stream.ReadLine()}")}\", which is not allowed",
                _stream.Path
            ),
            'o' or '\x82' or '\x83' or '\x84' or '\x92' => new CheckpointException(
                $"The pickle makes objects by opcode 0x{opcode:x2}, which is not allowed",
                _stream.Path
            ),
            _ => Malformed($"Opcode 0x{opcode:x2} is unknown"),
        };
}
