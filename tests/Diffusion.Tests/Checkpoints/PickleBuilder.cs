using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Diffusion.Tests.Checkpoints;

/// <summary>A name that a pickle refers to.</summary>
internal sealed record Global(string Module, string Name);

/// <summary>A function call in a pickle.</summary>
internal sealed record Call(Global Function, params object?[] Arguments);

/// <summary>An object of a class in a pickle: made without arguments, or by a call, and given attributes.</summary>
internal sealed record Instance(object Class, object? State);

/// <summary>A persistent id in a pickle.</summary>
internal sealed record Persistent(params object?[] Items);

/// <summary>Opcodes as they are.</summary>
internal sealed record Raw(params byte[] Opcodes);

/// <summary>A dictionary in order, built by the call or opcode that <see cref="Ordered"/> selects.</summary>
internal sealed record Entries(params (object? Key, object? Value)[] Items)
{
    public bool Ordered { get; init; }
}

/// <summary>Writes pickles as PyTorch does (protocol 2).</summary>
internal sealed class PickleBuilder
{
    private readonly MemoryStream _bytes = new();

    public static byte[] Dump(object? value, bool stop = true)
    {
        PickleBuilder builder = new();
        builder._bytes.Write([0x80, 2]);
        builder.Write(value);
        if (stop)
            builder._bytes.WriteByte((byte)'.');
        return builder._bytes.ToArray();
    }

    private void Write(object? value)
    {
        switch (value)
        {
            case null:
                Op('N');
                break;
            case true:
                _bytes.WriteByte(0x88);
                break;
            case false:
                _bytes.WriteByte(0x89);
                break;
            case int number:
                Write((long)number);
                break;
            case long and >= 0 and < 256:
                Op('K', (byte)(long)value);
                break;
            case long number:
                Write(new BigInteger(number));
                break;
            case BigInteger number:
                Op((char)0x8a, [(byte)number.GetByteCount(), .. number.ToByteArray()]);
                break;
            case double number:
                Op('G', BigEndian(number));
                break;
            case string text:
                Op('X', [.. LittleEndian(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)]);
                break;
            case Global(var module, var name):
                Op('c', Encoding.UTF8.GetBytes($"{module}\n{name}\n"));
                break;
            case Call(var function, var arguments):
                Write(function);
                Write(arguments);
                Op('R');
                break;
            case Instance(var made, var state):
                Write(made);
                if (made is Global)
                    Op(')', 0x81);
                Write(state);
                Op('b');
                break;
            case Persistent(var items):
                Write(items);
                Op('Q');
                break;
            case Raw(var opcodes):
                _bytes.Write(opcodes);
                break;
            case object?[] tuple:
                Op('(');
                foreach (object? item in tuple)
                    Write(item);
                Op('t');
                break;
            case List<object?> list:
                Op(']');
                Op('(');
                foreach (object? item in list)
                    Write(item);
                Op('e');
                break;
            case Entries entries:
                if (entries.Ordered)
                    Write(new Call(new Global("collections", "OrderedDict")));
                else
                    Op('}');
                Op('(');
                foreach ((object? key, object? item) in entries.Items)
                {
                    Write(key);
                    Write(item);
                }
                Op('u');
                break;
            default:
                throw new ArgumentException($"{value.GetType()} is not pickled here.");
        }
    }

    private void Op(char opcode, params byte[] rest)
    {
        _bytes.WriteByte((byte)opcode);
        _bytes.Write(rest);
    }

    private static byte[] LittleEndian(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] BigEndian(double value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteDoubleBigEndian(bytes, value);
        return bytes;
    }
}
