using System.Text;

namespace Diffusion.Benchmarks.Onnx;

/// <summary>A graph in the ONNX format (protobuf), as far as a UNet needs it.</summary>
internal sealed class OnnxGraph
{
    private const int Float = 1,
        Long = 7,
        IrVersion = 8,
        Opset = 13;
    private readonly List<Message> _nodes = [],
        _constants = [],
        _inputs = [],
        _outputs = [];
    private int _count;

    /// <summary>Declares an input.</summary>
    public string Input(string name, params long[] shape)
    {
        _inputs.Add(Value(name, shape));
        return name;
    }

    /// <summary>Declares an output.</summary>
    public void Output(string name, params long[] shape) => _outputs.Add(Value(name, shape));

    /// <summary>A constant of float32.</summary>
    public string Constant(Tensor values)
    {
        using Tensor flat = values.cpu().to(ScalarType.Float32).contiguous();
        return Constant(flat.shape, Float, flat.bytes.ToArray());
    }

    /// <summary>A constant list of integers.</summary>
    public string Constant(params long[] values) => Constant([values.Length], Long, [.. values.SelectMany(BitConverter.GetBytes)]);

    /// <summary>Adds an operation with one output, whose name it returns.</summary>
    public string Add(string operation, IEnumerable<string> inputs, params (string Name, object Value)[] attributes) =>
        AddMany(operation, inputs, 1, attributes)[0];

    /// <summary>Adds an operation with several outputs.</summary>
    public string[] AddMany(string operation, IEnumerable<string> inputs, int outputs, params (string Name, object Value)[] attributes)
    {
        string[] results = [.. Enumerable.Range(0, outputs).Select(_ => $"v{_count++}")];
        Message node = new();
        foreach (string input in inputs)
            node.Text(1, input);
        foreach (string result in results)
            node.Text(2, result);
        node.Text(4, operation);
        foreach ((string name, object value) in attributes)
            node.Nested(5, Attribute(name, value));
        _nodes.Add(node);
        return results;
    }

    /// <summary>The file.</summary>
    public byte[] ToBytes()
    {
        Message graph = new();
        foreach (Message node in _nodes)
            graph.Nested(1, node);
        graph.Text(2, "unet");
        foreach (Message constant in _constants)
            graph.Nested(5, constant);
        foreach (Message input in _inputs)
            graph.Nested(11, input);
        foreach (Message output in _outputs)
            graph.Nested(12, output);
        return new Message().Number(1, IrVersion).Nested(7, graph).Nested(8, new Message().Text(1, "").Number(2, Opset)).ToBytes();
    }

    private string Constant(long[] shape, int type, byte[] data)
    {
        string name = $"c{_constants.Count}";
        Message tensor = new();
        foreach (long size in shape)
            tensor.Number(1, size);
        _constants.Add(tensor.Number(2, type).Text(8, name).Bytes(9, data));
        return name;
    }

    private static Message Value(string name, long[] shape)
    {
        Message dimensions = new();
        foreach (long size in shape)
            dimensions.Nested(1, new Message().Number(1, size));
        return new Message().Text(1, name).Nested(2, new Message().Nested(1, new Message().Number(1, Float).Nested(2, dimensions)));
    }

    private static Message Attribute(string name, object value)
    {
        const int IsFloat = 1,
            IsInt = 2,
            IsString = 3,
            IsInts = 7;
        Message attribute = new Message().Text(1, name);
        switch (value)
        {
            case float f:
                return attribute.Single(2, f).Number(20, IsFloat);
            case long i:
                return attribute.Number(3, i).Number(20, IsInt);
            case string s:
                return attribute.Text(4, s).Number(20, IsString);
            case long[] list:
                foreach (long i in list)
                    attribute.Number(8, i);
                return attribute.Number(20, IsInts);
            default:
                throw new ArgumentException($"{name} has the type {value.GetType()}.");
        }
    }

    /// <summary>A protobuf message under construction.</summary>
    private sealed class Message
    {
        private const int Varint = 0,
            Delimited = 2,
            Fixed32 = 5;
        private readonly MemoryStream _bytes = new();

        public Message Number(int field, long value) => Tag(field, Varint).Write((ulong)value);

        public Message Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

        public Message Nested(int field, Message value) => Bytes(field, value.ToBytes());

        public byte[] ToBytes() => _bytes.ToArray();

        public Message Bytes(int field, byte[] value)
        {
            Tag(field, Delimited).Write((ulong)value.Length);
            _bytes.Write(value);
            return this;
        }

        public Message Single(int field, float value)
        {
            Tag(field, Fixed32);
            _bytes.Write(BitConverter.GetBytes(value));
            return this;
        }

        private Message Tag(int field, int kind) => Write((ulong)(field << 3 | kind));

        private Message Write(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
                _bytes.WriteByte((byte)(value | 0x80));
            _bytes.WriteByte((byte)value);
            return this;
        }
    }
}
