using NetMQ;
using NetMQ.Sockets;

namespace Diffusion.Jupyter.Protocol;

/// <summary>
/// The five sockets of a kernel. One thread serves them all, so that a cell that computes blocks neither heartbeat nor control.
/// </summary>
internal sealed class Channels : IDisposable
{
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(500);

    private readonly string _key;
    private readonly string _session = Guid.NewGuid().ToString("N");
    private readonly RouterSocket _shell = new(),
        _control = new(),
        _stdin = new();
    private readonly PublisherSocket _publish = new();
    private readonly ResponseSocket _heartbeat = new();
    private readonly NetMQQueue<(NetMQSocket Socket, Message Message)> _outgoing = new();
    private readonly NetMQPoller _poller;

    /// <summary>Binds the sockets and serves them from now on.</summary>
    /// <param name="connection">Where.</param>
    /// <param name="onShell">Told of each request, on the sockets' thread.</param>
    /// <param name="onControl">Told of what must not wait for a running cell, on the sockets' thread.</param>
    public Channels(ConnectionFile connection, Action<Message> onShell, Action<Message> onControl)
    {
        _key = connection.Key;
        _poller = [_shell, _control, _stdin, _heartbeat, _outgoing];
        Listen(_shell, onShell);
        Listen(_control, onControl);
        _stdin.ReceiveReady += (_, _) => _stdin.ReceiveMultipartMessage();
        _heartbeat.ReceiveReady += (_, _) => _heartbeat.SendMultipartMessage(_heartbeat.ReceiveMultipartMessage());
        _outgoing.ReceiveReady += (_, _) =>
        {
            while (_outgoing.TryDequeue(out (NetMQSocket Socket, Message Message) next, TimeSpan.Zero))
                next.Socket.SendMultipartMessage(next.Message.ToFrames(_key, _session));
        };
        foreach (NetMQSocket socket in (NetMQSocket[])[_shell, _control, _stdin, _publish, _heartbeat])
            socket.Options.Linger = Farewell;
        _shell.Bind(connection.Address(connection.ShellPort));
        _control.Bind(connection.Address(connection.ControlPort));
        _stdin.Bind(connection.Address(connection.StdinPort));
        _publish.Bind(connection.Address(connection.IoPubPort));
        _heartbeat.Bind(connection.Address(connection.HeartbeatPort));
        _poller.RunAsync();
    }

    /// <summary>Answers a request of the shell channel; from any thread.</summary>
    public void Answer(Message reply) => _outgoing.Enqueue((_shell, reply));

    /// <summary>Answers a request of the control channel; from any thread.</summary>
    public void AnswerControl(Message reply) => _outgoing.Enqueue((_control, reply));

    /// <summary>Tells all front ends; from any thread, in order.</summary>
    public void Publish(Message message) => _outgoing.Enqueue((_publish, message));

    /// <inheritdoc/>
    public void Dispose()
    {
        // What was put down last, as the answer to a shutdown, is sent first.
        for (long end = Environment.TickCount64 + (long)Farewell.TotalMilliseconds; !_outgoing.IsEmpty && Environment.TickCount64 < end; )
            Thread.Sleep(10);
        _poller.Stop();
        _poller.Dispose();
        foreach (IDisposable one in (IDisposable[])[_outgoing, _shell, _control, _stdin, _publish, _heartbeat])
            one.Dispose();
        NetMQConfig.Cleanup(block: true);
    }

    private void Listen(RouterSocket socket, Action<Message> told) =>
        socket.ReceiveReady += (_, _) =>
        {
            if (Message.FromFrames(socket.ReceiveMultipartMessage(), _key) is { } message)
                told(message);
        };
}
