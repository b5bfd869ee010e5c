import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;

/**
 * Lets whatever runs in a Java virtual machine listen on the loopback alone, where it asks for all addresses, too.
 *
 * <p>Named by the property java.nio.channels.spi.SelectorProvider, Java's own way of saying who makes channels, so
 * that the program itself stays as it is. Of the channel in front only what a blocking server needs is passed on.
 */
public final class LoopbackOnly extends sun.nio.ch.EPollSelectorProvider {
    @Override
    public ServerSocketChannel openServerSocketChannel() throws IOException {
        return new Listener(this, super.openServerSocketChannel());
    }

    private static final class Listener extends ServerSocketChannel {
        private final ServerSocketChannel behind;

        Listener(LoopbackOnly provider, ServerSocketChannel behind) {
            super(provider);
            this.behind = behind;
        }

        @Override
        public ServerSocketChannel bind(SocketAddress wanted, int backlog) throws IOException {
            int port = ((InetSocketAddress) wanted).getPort();
            behind.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), backlog);
            return this;
        }

        @Override
        public SocketChannel accept() throws IOException {
            return behind.accept();
        }

        @Override
        public <T> ServerSocketChannel setOption(SocketOption<T> name, T value) throws IOException {
            behind.setOption(name, value);
            return this;
        }

        @Override
        public <T> T getOption(SocketOption<T> name) throws IOException {
            return behind.getOption(name);
        }

        @Override
        public Set<SocketOption<?>> supportedOptions() {
            return behind.supportedOptions();
        }

        @Override
        public ServerSocket socket() {
            return behind.socket();
        }

        @Override
        public SocketAddress getLocalAddress() throws IOException {
            return behind.getLocalAddress();
        }

        @Override
        protected void implCloseSelectableChannel() throws IOException {
            behind.close();
        }

        @Override
        protected void implConfigureBlocking(boolean block) throws IOException {
            behind.configureBlocking(block);
        }
    }
}
